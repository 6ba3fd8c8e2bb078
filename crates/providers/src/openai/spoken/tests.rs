//! What of a stream is said, whole and letter by letter.

use super::*;
use serde_json::json;

fn read(pieces: &[&str]) -> (String, Vec<ToolCall>) {
    let mut filter = Filter::new(BTreeSet::from(["end_call".to_owned()]), false);
    let mut all: Vec<Spoken> = pieces.iter().flat_map(|piece| filter.push(piece)).collect();
    all.extend(filter.finish());
    let (mut words, mut calls) = (String::new(), Vec::new());
    for spoken in all {
        match spoken {
            Spoken::Words(text) => words.push_str(&text),
            Spoken::Call(call) => calls.push(call),
            Spoken::OtherParty => {}
        }
    }
    (words, calls)
}

/// The text comes out the same whole and letter by letter.
fn check(text: &str, words: &str, calls: &[(&str, Value)]) {
    let letters: Vec<String> = text.chars().map(String::from).collect();
    for pieces in [vec![text], letters.iter().map(String::as_str).collect()] {
        let (said, called) = read(&pieces);
        assert_eq!(said.trim(), words, "{text}");
        let called: Vec<_> = called.iter().map(|call| (call.name.as_str(), call.arguments.clone())).collect();
        assert_eq!(called, calls, "{text}");
    }
}

#[test]
fn reasoning_is_not_said() {
    check("<think>\nThe caller wants a roof.\n</think>\n\nThank you, Dana.", "Thank you, Dana.", &[]);
    check("Let me see. <thinking>hm</thinking>It is open.", "Let me see. It is open.", &[]);
    check("The template opened it already.</think> Hello.", "The template opened it already. Hello.", &[]);
    check("<think>cut off in the middle", "", &[]);
    check("<|START_THINKING|>A roof.<|END_THINKING|><|START_RESPONSE|>Hello.<|END_RESPONSE|>", "Hello.", &[]);
    check(
        "<|channel|>analysis<|message|>A roof.<|end|><|start|>assistant<|channel|>final<|message|>Hello.",
        "Hello.",
        &[],
    );
}

#[test]
fn thoughts_that_the_template_opened_are_not_said_once_that_is_known() {
    for (text, said) in [
        ("A roof. Be kind.</think>\n\nHello.", "Hello."),
        ("Hello. No thoughts today.", "Hello. No thoughts today."),
    ] {
        for pieces in [vec![text.to_owned()], text.chars().map(String::from).collect()] {
            let mut filter = Filter::new(BTreeSet::new(), true);
            let mut words = String::new();
            for spoken in pieces
                .iter()
                .flat_map(|piece| filter.push(piece))
                .collect::<Vec<_>>()
                .into_iter()
                .chain(filter.finish())
            {
                let Spoken::Words(text) = spoken else { panic!("words") };
                words.push_str(&text);
            }
            assert_eq!(words.trim(), said);
        }
    }
    let mut unaware = Filter::new(BTreeSet::new(), false);
    unaware.push("A roof.</think>Hello.");
    assert!(unaware.closed_what_was_not_open());
}

#[test]
fn a_call_written_as_text_is_a_call() {
    let none = json!({});
    check(
        "Goodbye. <tool_call>{\"name\": \"end_call\", \"arguments\": {}}</tool_call>",
        "Goodbye.",
        &[("end_call", none.clone())],
    );
    check("[TOOL_CALLS][{\"name\": \"end_call\", \"arguments\": {}}]", "", &[("end_call", none.clone())]);
    check("<|python_tag|>{\"name\": \"end_call\", \"parameters\": {}}", "", &[("end_call", none)]);
    check("<tool_call>no JSON</tool_call>Well.", "Well.", &[]);
}

#[test]
fn a_tool_that_is_called_by_its_name_in_the_words_is_called_and_not_said() {
    for text in [
        "Bye. end_call()",
        "Bye. end_call",
        "Bye.\nend_call\n",
        "Bye. *end_call*",
        "Bye. [end_call]",
        "Bye. [end_call()]",
        "Bye. (end_call)",
        "Bye. `end_call()`",
        "Bye. {end_call}",
        "Bye. functions.end_call({})",
        "Bye. end_call {}",
        "Bye.\nend_call: {}",
        "Bye.\n```tool_code\nprint(end_call())\n```",
        "Bye.\n```json\n{\"name\": \"end_call\", \"arguments\": {}}\n```",
        "Bye.\n{\"name\": \"end_call\"}",
    ] {
        check(text, "Bye.", &[("end_call", json!({}))]);
    }
    check("end_call(reason=\"a ) b\") Bye.", "Bye.", &[("end_call", json!({ "reason": "a ) b" }))]);
    for text in [
        "My tools are end_call and others.",
        "the end_calls of (ends) the e",
        "call send_call() or end_callers",
        "f(x) and (functions.)",
        "```\nlet a = 1;\n```",
        "Here it is:\n```json\n{\"name\": \"Dana\", \"phone\": null}\n```",
    ] {
        check(text, text, &[]);
    }
}

#[test]
fn calls_are_read_in_the_ways_in_which_models_write_them() {
    let called = |arguments: Value| [("end_call", arguments)];
    for text in [
        "Bye. <function=end_call>{}</function>",
        "Bye. <tool_call>\n<function=end_call>\n</function>\n</tool_call>",
        "Bye. <|tool_calls_section_begin|><|tool_call_begin|>functions.end_call:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
        "Bye. <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>end_call\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        "Bye. <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>end_call<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        "<|channel|>final<|message|>Bye.<|end|><|start|>assistant<|channel|>commentary to=functions.end_call <|constrain|>json<|message|>{}<|call|>",
        "Bye. <|start|>assistant to=functions.end_call<|channel|>commentary json<|message|>{}<|call|>",
        "Bye.\n{\"name\": \"end_call\", \"parameters\": {}}",
        "Bye.\n{\"type\": \"function\", \"function\": {\"name\": \"end_call\", \"arguments\": {}}}",
        "Bye. <|tool_call_start|>[end_call()]<|tool_call_end|>",
        "Bye. [TOOL_REQUEST]{\"name\": \"end_call\", \"arguments\": {}}[END_TOOL_REQUEST]",
        "Bye. [TOOL_CALLS]end_call[ARGS]{}",
        "Bye. <tool_calls>[{\"name\": \"end_call\", \"arguments\": {}}]</tool_calls>",
        "Bye. <function_calls>\n<invoke name=\"end_call\">\n</invoke>\n</function_calls>",
        "Bye. <invoke name=\"end_call\"></invoke>",
        "Bye. <minimax:tool_call><invoke name=\"end_call\"></invoke></minimax:tool_call>",
        "Bye. <tool_call>end_call\n</tool_call>",
        "Bye. <|START_ACTION|>[{\"tool_call_id\": \"0\", \"tool_name\": \"end_call\", \"parameters\": {}}]<|END_ACTION|>",
    ] {
        check(text, "Bye.", &called(json!({})));
    }
    check(
        "<tool_call><function=end_call><parameter=reason>the caller is done</parameter></function></tool_call>",
        "",
        &called(json!({ "reason": "the caller is done" })),
    );
    check("{\"name\": \"Dana\", \"phone\": null}", "{\"name\": \"Dana\", \"phone\": null}", &[]);
    check("{\"name\": \"cut", "{\"name\": \"cut", &[]);
}

#[test]
fn marks_of_templates_are_not_said() {
    for text in [
        "<start_of_turn>model\nHello.<end_of_turn>",
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>",
        "<|im_start|>assistant\nHello.<|im_end|>",
        "<|begin_of_box|>Hello.<|end_of_box|>",
        "◁think▷A roof.◁/think▷Hello.",
        "Hello.<｜end▁of▁sentence｜>",
    ] {
        check(text, "Hello.", &[]);
    }
}

#[test]
fn the_agent_speaks_for_nobody_else() {
    check("Agent: Thank you, Dana. Goodbye.\nCaller: Bye!\nAgent: Bye.", "Thank you, Dana. Goodbye.", &[]);
    check("**Assistant:** Hello.", "** Hello.", &[]);
    check("User: what?", "", &[]);
    check("Agents are human: they err.", "Agents are human: they err.", &[]);
    check("The caller: a friend.", "The caller: a friend.", &[]);
}

#[test]
fn what_only_looks_like_a_mark_is_said() {
    for text in
        ["2 < 3 and a <b", "a <| b |> c", "{curly} words", "see [1] and [notes]", "I <3 roofs", "<", "ag"]
    {
        check(text, text, &[]);
    }
}
