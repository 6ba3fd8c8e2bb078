//! What templates become, and that none of them can do harm.

use super::*;

const FACTS: &[(&str, &str)] =
    &[("name", "maria lopez"), ("lead_score", "80"), ("lead_status", "new"), ("blank_note", "  ")];

fn rendered(template: &str) -> Result<String, Unrendered> {
    render(template, |name| FACTS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
}

fn check(template: &str, expected: &str) {
    assert_eq!(rendered(template).as_deref(), Ok(expected), "{template}");
}

#[test]
fn values_are_filled_in_and_filtered() {
    check("Hi {{ name }}!", "Hi maria lopez!");
    check("Hi {{name|capitalize}}!", "Hi Maria lopez!");
    check("{{ name | split: ' ' | first | capitalize }}", "Maria");
    check("{{ name | split: ' ' | last | upcase }}", "LOPEZ");
    check("{{ nickname | default: name }}", "maria lopez");
    check("{{ blank_note | default: 'none' }}", "none");
    check("{{ 'a,b' | split: ',' | join: ' and ' }}", "a and b");
    check("{{ name | truncate: 8 }} {{ name | size }}", "maria... 11");
    check("{{ lead_score | plus: 5 }} {{ lead_score | minus: 0.5 }}", "85 79.5");
    check("{{ name | replace: 'a', 'o' | remove: 'l' | append: '.' | prepend: '-' }}", "-morio opez.");
    check("{{ 'a }} b' }}", "a }} b");
    check("{{ person.title }}|{{ nil }}|{{ true }}|{{ 5 }}", "||true|5");
}

#[test]
fn conditions_choose_a_branch() {
    check("{% if name %}a{% else %}b{% endif %}", "a");
    check(
        "{% if nickname %}a{% elsif lead_score > 90 %}b{% elsif lead_score >= 80 %}c{% else %}d{% endif %}",
        "c",
    );
    check("{% unless lead_status == 'new' %}a{% else %}b{% endunless %}", "b");
    check("{% if name contains 'lopez' and lead_score != 7 %}a{% endif %}", "a");
    check("{% if nickname or name %}a{% endif %}{% if nickname and name %}b{% endif %}", "a");
    check("{% if true or false and false %}a{% endif %}", "a"); // from the right
    check("{% if blank_note == blank %}a{% endif %}{% if name != empty %}b{% endif %}", "ab");
    check("{% if nickname < 5 %}a{% endif %}{% if nickname <= 5 %}b{% endif %}", "");
    check("{% if name %}{% if nickname %}a{% endif %}b{% endif %}c", "bc");
    check("{% case lead_status %}x{% when 'old' %}a{% when 'new', 'newer' %}b{% else %}c{% endcase %}", "b");
    check("{% case lead_status %}{% when 'a' or 'b' %}a{% else %}c{% endcase %}", "c");
}

#[test]
fn assignments_comments_raw_text_and_trimming_work_as_in_liquid() {
    check("{% assign first = name | split: ' ' | first %}Hi {{ first }}", "Hi maria");
    check("{% if nickname %}{% assign a = 'x' %}{% endif %}{{ a }}.", ".");
    check("a{% comment %}b{% comment %}c{% endcomment %}{{ name }}{% endcomment %}d", "ad");
    check("{% raw %}{{ name }} {% if %}{% endraw %}!", "{{ name }} {% if %}!");
    check("a  {{- name -}}  b {%- if true -%} c {%- endif %} d", "amaria lopezbc d");
    check("{ name } {a{ %} }}", "{ name } {a{ %} }}");
}

#[test]
fn what_is_not_in_the_language_is_a_syntax_error() {
    for template in [
        "{{ name",
        "{% if name %}",
        "{% endif %}",
        "{% if %}a{% endif %}",
        "{% if name == %}a{% endif %}",
        "{% if and name %}a{% endif %}",
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% include 'secret' %}",
        "{% capture a %}b{% endcapture %}",
        "{% assign a %}",
        "{% case name %}{% endif %}",
        "{% else %}",
        "{% when 1 %}",
        "{% raw %}a",
        "{% comment %}a",
        "{{ name | date: '%Y' }}",
        "{{ name | append }}",
        "{{ a[0] }}",
        "{{ 'a }}",
        "{{ a b }}",
    ] {
        assert_eq!(rendered(template), Err(Unrendered::Syntax), "{template}");
    }
}

#[test]
fn no_template_makes_more_than_the_bounds() {
    let doubling = "{% assign a = a | append: a | append: 'xxxxxxxx' %}".repeat(60);
    let swelling =
        "{% assign a = 'aaaaaaaaaaaaaaaa' %}{{ a".to_owned() + &" | replace: 'a', a".repeat(9) + " }}";
    let copies =
        format!("{}{{% case 1 %}}{{% when {}1 %}}{{% endcase %}}", &doubling[..51 * 12], "a,".repeat(50_000));
    let printing = format!("{}{}", &doubling[..51 * 12], "{{ a }}".repeat(1000));
    let lists = "{% assign b = name | split: '' %}".repeat(20_000);
    for template in [doubling.as_str(), &swelling, &copies, &printing, &lists] {
        assert_eq!(rendered(template), Err(Unrendered::TooMuch), "{}", &template[..60]);
    }
}

#[test]
fn depth_costs_no_stack() {
    let n = 50_000;
    assert_eq!(rendered(&"{% if a %}".repeat(n)), Err(Unrendered::TooMuch));
    assert_eq!(rendered(&"{% comment %}".repeat(n)), Err(Unrendered::Syntax));
    assert_eq!(rendered(&"{% raw %}".repeat(n)), Err(Unrendered::Syntax));
    assert_eq!(rendered(&format!("{{{{ {} }}}}", "a[".repeat(n))), Err(Unrendered::Syntax));
    let many = format!("{{% if a %}}{}x{{% endif %}}", "{% elsif a %}x".repeat(10_000));
    check(&many, "");
    let long = format!("{{% if {}a %}}x{{% endif %}}", "a and ".repeat(10_000));
    check(&long, "");
}

/// Every short sequence of a small alphabet, and long pseudo-random ones.
#[test]
fn no_sequence_of_tags_panics() {
    let words = [
        "{{",
        "}}",
        "{%",
        "%}",
        "-",
        "'",
        "\"",
        "|",
        ":",
        ",",
        "if ",
        "endif",
        "raw",
        "endraw",
        "comment",
        "assign ",
        "a",
        "=",
        "==",
        "é",
        " ",
        "99999999999999999999999",
        "truncate",
        "case ",
        "when ",
        "and ",
        "{",
        "\n",
    ];
    let mut state = 1_u64;
    for length in 1..400 {
        for _ in 0..20 {
            let mut template = String::new();
            for _ in 0..=(length % 40) {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                template.push_str(words[(state >> 33) as usize % words.len()]);
            }
            let _ = rendered(&template); // that it returns is the point
        }
    }
}
