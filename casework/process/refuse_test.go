package process

import (
	"fmt"
	"strings"
	"testing"

	"haoban/platform/errs"
)

// slot is a small diagram with a place to put one more element.
func slot(place, inner string) []byte {
	put := func(at string) string {
		if at == place {
			return "\n" + inner + "\n"
		}
		return ""
	}
	return []byte(head + put("definitions") +
		`<collaboration id="C"><participant id="Pool" processRef="P">` + put("participant") + `</participant>` + put("collaboration") + `</collaboration>
<process id="P" isExecutable="true">` + put("process") + `
<laneSet id="LS">` + put("laneSet") + `<lane id="L">` + put("lane") + `</lane></laneSet>
<startEvent id="s">` + put("start") + `</startEvent>
<sequenceFlow id="f1" sourceRef="s" targetRef="u">` + put("flow") + `</sequenceFlow>
<userTask id="u">` + put("task") + `<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>` + put("multi") + `</multiInstanceLoopCharacteristics></userTask>
<sequenceFlow id="f2" sourceRef="u" targetRef="t"/>
<intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>P1D</timeDuration>` + put("timer") + `</timerEventDefinition></intermediateCatchEvent>
<sequenceFlow id="f3" sourceRef="t" targetRef="m"/>
<intermediateCatchEvent id="m">` + put("event") + `<messageEventDefinition haoban:message="x">` + put("message") + `</messageEventDefinition></intermediateCatchEvent>
<sequenceFlow id="f4" sourceRef="m" targetRef="p"/>
<subProcess id="p">` + put("subProcess") + `<startEvent id="ps"/><sequenceFlow id="pf" sourceRef="ps" targetRef="pe"/><endEvent id="pe"/></subProcess>
<sequenceFlow id="f5" sourceRef="p" targetRef="g"/>
<exclusiveGateway id="g">` + put("gateway") + `</exclusiveGateway>
<sequenceFlow id="f6" sourceRef="g" targetRef="e"/>
<endEvent id="e">` + put("end") + `</endEvent>
</process></definitions>`)
}

// walked and drawn are the elements of BPMN 2.0 that are carried out, or kept
// for the eye; refusedAt is all others with the places where the standard has them.
const (
	walked = `definitions process startEvent endEvent terminateEventDefinition userTask serviceTask sendTask receiveTask
exclusiveGateway parallelGateway inclusiveGateway sequenceFlow conditionExpression intermediateCatchEvent boundaryEvent
timerEventDefinition timeDuration timeDate messageEventDefinition message subProcess multiInstanceLoopCharacteristics
loopCardinality completionCondition incoming outgoing`
	drawn = `documentation extensionElements collaboration participant laneSet lane childLaneSet flowNodeRef
textAnnotation text association group category categoryValue`
)

func refusedAt() map[string][]string {
	places := map[string]string{
		"definitions": `import extension relationship rootElement itemDefinition dataStore error escalation signal resource interface
endPoint correlationProperty partnerEntity partnerRole choreography globalTask globalManualTask globalUserTask globalScriptTask
globalBusinessRuleTask globalChoreographyTask globalConversation conversation callableElement eventDefinition
signalEventDefinition errorEventDefinition escalationEventDefinition compensateEventDefinition conditionalEventDefinition
linkEventDefinition cancelEventDefinition baseElement baseElementWithMixedContent source target value structureRef
partitionElement`,
		"collaboration": `messageFlow messageFlowAssociation participantAssociation conversationAssociation conversationLink conversationNode
subConversation callConversation correlationKey choreographyRef innerParticipantRef outerParticipantRef innerMessageFlowRef
outerMessageFlowRef innerConversationNodeRef outerConversationNodeRef messageFlowRef participantRef correlationKeyRef`,
		"participant": `interfaceRef endPointRef participantMultiplicity`,
		"process": `task manualTask scriptTask businessRuleTask callActivity transaction adHocSubProcess eventBasedGateway complexGateway
intermediateThrowEvent implicitThrowEvent dataObject dataObjectReference dataStoreReference property ioSpecification ioBinding
auditing monitoring resourceRole performer humanPerformer potentialOwner correlationSubscription correlationPropertyBinding
supports supportedInterfaceRef artifact activity event catchEvent throwEvent flowElement flowNode gateway choreographyActivity
choreographyTask subChoreography callChoreography initiatingParticipantRef`,
		"lane": `partitionElementRef`,
		"task": `standardLoopCharacteristics loopCharacteristics ioSpecification property dataInputAssociation dataOutputAssociation
dataAssociation resourceRole performer humanPerformer potentialOwner rendering operationRef script inputSet outputSet dataInput
dataOutput dataState sourceRef targetRef transformation assignment from to dataInputRefs optionalInputRefs whileExecutingInputRefs
outputSetRefs dataOutputRefs optionalOutputRefs whileExecutingOutputRefs inputSetRefs resourceRef resourceParameter
resourceParameterBinding resourceAssignmentExpression calledElement loopCondition operation inMessageRef outMessageRef errorRef`,
		"multi":      `loopDataInputRef loopDataOutputRef inputDataItem outputDataItem complexBehaviorDefinition noneBehaviorEventRef oneBehaviorEventRef`,
		"start":      `signalEventDefinition errorEventDefinition escalationEventDefinition compensateEventDefinition conditionalEventDefinition messageEventDefinition timerEventDefinition eventDefinitionRef`,
		"end":        `signalEventDefinition errorEventDefinition escalationEventDefinition compensateEventDefinition cancelEventDefinition messageEventDefinition`,
		"event":      `eventDefinitionRef dataOutput outputSet dataOutputAssociation property`,
		"timer":      `timeCycle`,
		"message":    `operationRef correlationPropertyRetrievalExpression messagePath correlationPropertyRef dataPath`,
		"subProcess": `task dataObject eventBasedGateway cancelEventDefinition standardLoopCharacteristics`,
		"gateway":    `activationCondition condition eventDefinition`,
		"flow":       `expression formalExpression auditing`,
	}
	out := map[string][]string{}
	for place, tags := range places {
		for _, tag := range strings.Fields(tags) {
			out[tag] = append(out[tag], place)
		}
	}
	return out
}

// TestSlotItself makes sure that what is refused below is refused for the one
// element and nothing else.
func TestSlotItself(t *testing.T) {
	t.Parallel()
	for _, inner := range []string{"", "<documentation>注</documentation>"} {
		if _, err := Parse("slot.bpmn", slot("task", inner)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRefusesEveryOtherElement has one case for each element of BPMN 2.0 that is
// neither walked nor drawn, at each place where it may stand.
func TestRefusesEveryOtherElement(t *testing.T) {
	t.Parallel()
	good := map[string]bool{}
	for _, tag := range strings.Fields(walked + " " + drawn) {
		good[tag] = true
	}
	n := 0
	for tag, places := range refusedAt() {
		for _, place := range places {
			n++
			t.Run(place+"/"+tag, func(t *testing.T) {
				t.Parallel()
				if good[tag] && place != "start" && place != "end" {
					t.Fatalf("%s is both supported and refused", tag)
				}
				src := slot(place, fmt.Sprintf(`<%s id="odd" name="怪"/>`, tag))
				line := strings.Count(string(src[:strings.Index(string(src), `id="odd"`)]), "\n") + 1
				_, err := Parse("slot.bpmn", src)
				e, ok := errs.As(err)
				if !ok || e.Code != "process.refused" || e.Kind != errs.Invalid {
					t.Fatalf("got %v", err)
				}
				where := fmt.Sprintf("slot.bpmn:%d#odd", line)
				for _, f := range e.Fields {
					if f.Path == where && f.Rule == "element" && strings.Contains(f.Msg, "<"+tag+">：") && len(f.Msg) > len(tag)+20 {
						return
					}
				}
				t.Fatalf("no refusal of <%s> at %s: %v", tag, where, err)
			})
		}
	}
	if n < 150 {
		t.Fatalf("only %d cases", n)
	}
}

// TestRefusesAttributes has the attributes that would change what an element
// means.
func TestRefusesAttributes(t *testing.T) {
	t.Parallel()
	const task = `<userTask id="u"`
	for _, tt := range []struct{ name, old, new, want string }{
		{"form key", task, task + ` flowable:formKey="x"`, "flowable:formKey"},
		{"candidate users", task, task + ` flowable:candidateUsers="x"`, "flowable:candidateUsers"},
		{"camunda", task, task + ` xmlns:camunda="http://camunda.org/schema/1.0/bpmn" camunda:assignee="x"`, "camunda.org"},
		{"no namespace", task, task + ` activiti:assignee="x"`, "activiti"},
		{"compensation", task, task + ` isForCompensation="true"`, "isForCompensation"},
		{"quantity", task, task + ` startQuantity="2"`, "startQuantity"},
		{"implementation", task, task + ` implementation="http://x"`, "implementation"},
		{"unknown", task, task + ` color="red"`, "color"},
		{"unknown of ours", task, task + ` haoban:verb="x"`, "haoban:verb"},
		{"unit", task, task + ` flowable:dueDate="P1D" haoban:unit="hour"`, "hour"},
		{"unit alone", task, task + ` haoban:unit="workday"`, "dueDate"},
		{"role expression", task, task + ` flowable:candidateGroups="${x}"`, "一个岗位"},
		{"event subprocess", `<subProcess id="p"`, `<subProcess id="p" triggeredByEvent="true"`, "triggeredByEvent"},
		{"not executable", `isExecutable="true"`, `isExecutable="false"`, "isExecutable"},
		{"public", `isExecutable="true"`, `processType="Public"`, "Public"},
		{"start interrupting", `<startEvent id="s"`, `<startEvent id="s" isInterrupting="false"`, "isInterrupting"},
		{"parallel multiple", `<intermediateCatchEvent id="t"`, `<intermediateCatchEvent id="t" parallelMultiple="true"`, "parallelMultiple"},
		{"immediate", `<sequenceFlow id="f2"`, `<sequenceFlow id="f2" isImmediate="false"`, "isImmediate"},
		{"async", task, task + ` flowable:async="true"`, "flowable:async"},
		{"behavior", `<multiInstanceLoopCharacteristics`, `<multiInstanceLoopCharacteristics behavior="One"`, "behavior"},
		{"element variable", `<multiInstanceLoopCharacteristics`, `<multiInstanceLoopCharacteristics flowable:elementVariable="dept"`, "item"},
		{"no default flow", `<exclusiveGateway id="g"`, `<exclusiveGateway id="g" default="f1"`, "f1"},
		{"default on a task", task, task + ` default="f2"`, "default"},
		{"pool elsewhere", `processRef="P"`, `processRef="Q"`, "Q"},
		{"lane elsewhere", `<lane id="L">`, `<lane id="L"><flowNodeRef>nobody</flowNodeRef>`, "nobody"},
		{"condition behind a task", `sourceRef="u" targetRef="t"/>`, `sourceRef="u" targetRef="t"><conditionExpression>true</conditionExpression></sequenceFlow>`, "网关"},
		{"no message", `haoban:message="x"`, ``, "messageRef"},
		{"unknown message", `haoban:message="x"`, `messageRef="gone"`, "gone"},
		{"two messages", `haoban:message="x"`, `haoban:message="x" messageRef="y"`, "只能写一个"},
		{"foreign element", `<endEvent id="e">`, `<endEvent id="e"><x:y xmlns:x="urn:x"/>`, "urn:x"},
		{"listener", `<endEvent id="e">`, `<endEvent id="e"><extensionElements><flowable:executionListener/></extensionElements>`, "executionListener"},
		{"two processes", `</process>`, `</process><process id="Q"/>`, "一个流程"},
		{"id with a space", `<endEvent id="e"`, `<endEvent id="e e"`, "空格"},
		{"too many instances", `<loopCardinality>2`, `<loopCardinality>2000`, "2000"},
		{"two definitions", `<messageEventDefinition haoban:message="x">`, `<timerEventDefinition/><messageEventDefinition haoban:message="x">`, "一种"},
		{"wrong root", `<definitions `, `<definition `, "XML"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := strings.Replace(string(slot("", "")), tt.old, tt.new, 1)
			_, err := Parse("slot.bpmn", []byte(src))
			if errs.KindOf(err) != errs.Invalid || !strings.Contains(fmt.Sprint(err), tt.want) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

// TestRefusesFiles has what is not a diagram at all.
func TestRefusesFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src, code string
	}{
		{"empty", "", "process.xml"},
		{"text", "你好", "process.xml"},
		{"html", "<html></html>", "process.refused"},
		{"bpmn 1", `<definitions xmlns="http://schema.omg.org/spec/BPMN/2.0"/>`, "process.refused"},
		{"no process", head + "</definitions>", "process.refused"},
		{"cut off", string(slot("", ""))[:700], "process.xml"},
		{"doctype", `<!DOCTYPE x [<!ENTITY a "b">]>` + "<x/>", "process.xml"},
		{"entity", "<x>&a;</x>", "process.xml"},
		{"two roots", "<x/><x/>", "process.xml"},
		{"gbk", `<?xml version="1.0" encoding="GBK"?><x/>`, "process.xml"},
		{"deep", strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), "process.xml"},
		{"wide", "<a>" + strings.Repeat("<b/>", maxElements) + "</a>", "process.xml"},
		{"large", strings.Repeat(" ", maxBytes+1), "process.large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse("x.bpmn", []byte(tt.src)); errs.CodeOf(err) != tt.code {
				t.Fatalf("got %v, want %s", err, tt.code)
			}
		})
	}
}
