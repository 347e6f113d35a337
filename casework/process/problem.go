package process

import (
	"fmt"
	"strings"

	"haoban/platform/errs"
)

// Problem says what is wrong with a diagram and where.
type Problem struct {
	File    string
	Line    int
	Element string // id of the element, or its tag if it has none
	Rule    string // stable name of the rule that is broken
	Msg     string // what is wrong and how to mend it, in Chinese
}

// String gives file, line, element and reason on one line.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d %s: %s", p.File, p.Line, p.Element, p.Msg)
}

// refusal turns problems into the error that Parse returns.
func refusal(file string, ps []Problem) error {
	e := errs.New(errs.Invalid, "process.refused", fmt.Sprintf("流程图 %s 有 %d 处不能执行：%s", file, len(ps), ps[0].Msg))
	fields := make([]errs.Field, len(ps))
	for i, p := range ps {
		fields[i] = errs.Field{Path: fmt.Sprintf("%s:%d#%s", p.File, p.Line, p.Element), Rule: p.Rule, Msg: p.Msg}
	}
	return e.WithFields(fields)
}

// whyNot says why a BPMN element is refused and what to draw instead.
func whyNot(tag string) string {
	switch tag {
	case "task", "manualTask":
		return "没有写明谁来做，请改用用户任务(userTask)或服务任务(serviceTask)"
	case "scriptTask", "script":
		return "流程图里不执行脚本，请改用服务任务(serviceTask)并写明 haoban:verb"
	case "businessRuleTask":
		return "不支持规则任务，请改用服务任务(serviceTask)调用核验动作"
	case "callActivity", "calledElement":
		return "不支持调用另一流程，请改用内嵌子流程(subProcess)"
	case "transaction", "cancelEventDefinition":
		return "不支持事务子流程，请改用子流程(subProcess)加边界事件"
	case "adHocSubProcess":
		return "不支持临时子流程，请改用多实例任务，或由经办人用加签、会签"
	case "eventBasedGateway":
		return "不支持事件网关，请在等待的任务上画定时或消息边界事件"
	case "complexGateway":
		return "不支持复杂网关，请改用包容网关(inclusiveGateway)"
	case "intermediateThrowEvent":
		return "不支持中间抛出事件，请改用发送任务(sendTask)"
	case "implicitThrowEvent", "event", "throwEvent", "catchEvent", "activity", "flowElement", "flowNode", "gateway",
		"baseElement", "baseElementWithMixedContent", "rootElement", "artifact", "participantAssociation":
		return "不是可以画的元素"
	case "signal", "signalEventDefinition":
		return "不支持信号事件，请改用消息事件"
	case "error", "errorEventDefinition":
		return "不支持错误事件，请给服务任务加办理结果 failed，用排他网关分流"
	case "escalation", "escalationEventDefinition":
		return "不支持升级事件，请改用非中断的定时边界事件"
	case "compensateEventDefinition":
		return "不支持补偿事件，请把更正画成普通任务"
	case "conditionalEventDefinition", "condition":
		return "不支持条件事件，请用网关上的条件"
	case "linkEventDefinition":
		return "不支持链接事件，请直接用连线相连"
	case "timeCycle":
		return "不支持循环定时，请用定时事件加回路"
	case "standardLoopCharacteristics":
		return "不支持标准循环，请用排他网关画回路，或用多实例"
	case "complexBehaviorDefinition", "loopDataInputRef", "loopDataOutputRef", "inputDataItem", "outputDataItem":
		return "多实例只认 loopCardinality、completionCondition 和 flowable:collection"
	case "dataObject", "dataObjectReference", "dataStore", "dataStoreReference", "dataState", "ioSpecification", "dataInput",
		"dataOutput", "inputSet", "outputSet", "dataInputAssociation", "dataOutputAssociation", "property", "assignment",
		"itemDefinition", "ioBinding", "dataInputRefs", "dataOutputRefs", "from", "to", "transformation", "inputSetRefs", "outputSetRefs",
		"optionalInputRefs", "whileExecutingInputRefs", "optionalOutputRefs", "whileExecutingOutputRefs", "sourceRef", "targetRef":
		return "流程图里不写数据，数据在表单里"
	case "performer", "humanPerformer", "potentialOwner", "resourceRole", "resource", "resourceParameter",
		"resourceParameterBinding", "resourceAssignmentExpression", "resourceRef":
		return "办理人请写在 flowable:candidateGroups 或 flowable:assignee"
	case "rendering":
		return "界面不写在流程图里"
	case "messageFlow", "messageFlowAssociation", "messageFlowRef":
		return "不执行消息流，请用发送任务、接收任务或消息事件"
	case "import", "extension", "relationship":
		return "流程图必须自足，不引用外部定义"
	case "interface", "operation", "endPoint", "inMessageRef", "outMessageRef", "errorRef", "supportedInterfaceRef":
		return "不支持接口定义，服务任务用 haoban:verb 写明动作"
	case "auditing", "monitoring":
		return "审计由系统自动完成，不写在流程图里"
	case "correlationKey", "correlationProperty", "correlationPropertyBinding", "correlationPropertyRetrievalExpression",
		"correlationSubscription", "correlationPropertyRef", "messagePath", "dataPath", "correlationKeyRef":
		return "消息按名称和办件对应，不支持关联键"
	}
	switch {
	case strings.HasPrefix(tag, "global"):
		return "不支持全局任务"
	case strings.Contains(strings.ToLower(tag), "choreography"):
		return "不支持编排图"
	case strings.Contains(strings.ToLower(tag), "conversation"):
		return "不支持会话图"
	}
	return "不支持这个元素"
}
