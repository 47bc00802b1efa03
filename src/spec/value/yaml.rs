//! YAML as LinuxKit's two libraries write it.
//!
//! ```text
//! Style::Wide, yaml.v3         Style::Narrow, yaml.v2
//! files:                       files:
//!     - path: a                - path: a
//!       uid: 0                   uid: 0
//! ```

use super::Value;
use crate::spec::yaml::{self, Value as Meaning};

/// How collections are indented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Four spaces; the items of a list are indented.
    Wide,
    /// Two spaces; the items of a list are not.
    Narrow,
}

impl Style {
    /// The indentation one level below; yaml.v3 goes to the next multiple of four.
    fn below(self, indent: usize) -> usize {
        match self {
            Style::Wide => (indent + 4) / 4 * 4,
            Style::Narrow => indent + 2,
        }
    }

    /// The indentation of a list that is the value of a key.
    fn list_below(self, indent: usize) -> usize {
        match self {
            Style::Wide => self.below(indent),
            Style::Narrow => indent,
        }
    }
}

impl Value {
    /// The value as a YAML document.
    pub(crate) fn to_yaml(&self, style: Style) -> String {
        let mut out = String::new();
        write_value(&mut out, self, 0, style);
        out
    }
}

/// Writes a value to its last newline. The first line is indented already; `indent` is that of the
/// others.
fn write_value(out: &mut String, value: &Value, indent: usize, style: Style) {
    match value {
        Value::Map(map) if !map.0.is_empty() => {
            for (i, (key, value)) in map.0.iter().enumerate() {
                pad(out, if i > 0 { indent } else { 0 });
                out.push_str(&scalar(key));
                out.push(':');
                match value {
                    Value::Map(map) if !map.0.is_empty() => {
                        write_below(out, value, style.below(indent), style)
                    }
                    Value::List(items) if !items.is_empty() => {
                        write_below(out, value, style.list_below(indent), style);
                    }
                    _ => {
                        out.push(' ');
                        write_value(out, value, style.below(indent), style);
                    }
                }
            }
        }
        Value::List(items) if !items.is_empty() => {
            for (i, item) in items.iter().enumerate() {
                pad(out, if i > 0 { indent } else { 0 });
                out.push_str("- ");
                write_value(out, item, indent + 2, style);
            }
        }
        Value::Map(_) => out.push_str("{}\n"),
        Value::List(_) => out.push_str("[]\n"),
        Value::Null => out.push_str("null\n"),
        Value::Bool(value) => out.push_str(if *value { "true\n" } else { "false\n" }),
        Value::Number(value) => {
            out.push_str(&value.to_string());
            out.push('\n');
        }
        Value::Text(text) if fits_block(text) => write_block(out, text, indent),
        Value::Text(text) => {
            out.push_str(&scalar(text));
            out.push('\n');
        }
    }
}

/// Writes a collection on the lines after its key.
fn write_below(out: &mut String, value: &Value, indent: usize, style: Style) {
    out.push('\n');
    pad(out, indent);
    write_value(out, value, indent, style);
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Text of several lines that a literal block (`|`) can hold as it is.
fn fits_block(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\t', '\n'])
        && !text.contains(" \n")
        && !text.ends_with(' ')
        && text.chars().all(|c| matches!(c, '\n' | '\t') || is_printable(c))
}

/// Writes a literal block; its indicator says how many of the newlines at its end count.
fn write_block(out: &mut String, text: &str, indent: usize) {
    let trailing = text.len() - text.trim_end_matches('\n').len();
    out.push_str(match trailing {
        0 => "|-\n",
        1 => "|\n",
        _ => "|+\n",
    });
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        pad(out, if line.is_empty() { 0 } else { indent });
        out.push_str(line);
        out.push('\n');
    }
}

/// Text without quotes where it stays text, else in single quotes where they can hold it.
fn scalar(text: &str) -> String {
    let looks_like_text = yaml::resolve(text) == Meaning::Text && !was_special(text);
    if !looks_like_text || !text.chars().all(is_printable) {
        double_quoted(text)
    } else if has_indicator(text) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        text.to_owned()
    }
}

/// Something in the text has a meaning of its own outside quotes.
fn has_indicator(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next().unwrap_or(' ');
    let before_blank = chars.next().is_none_or(|c| c == ' ');
    "#,[]{}&*!|>'\"%@` ".contains(first)
        || "?:-".contains(first) && before_blank
        || text.starts_with("---")
        || text.starts_with("...")
        || text.ends_with([' ', ':'])
        || text.contains(": ")
        || text.contains(" #")
}

/// YAML 1.1, which LinuxKit's libraries write for too, took the text for a boolean, a date or a
/// number of base 60.
fn was_special(text: &str) -> bool {
    let is_bool = matches!(text.to_ascii_lowercase().as_str(), "y" | "yes" | "on" | "n" | "no" | "off");
    let is_date =
        text.len() >= 8 && text.split('-').next().is_some_and(|year| year.len() == 4 && is_figures(year));
    let is_base_60 = text.contains(':') && text.trim_start_matches(['-', '+']).split(':').all(is_figures);
    is_bool || is_date || is_base_60
}

fn is_figures(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c => match u32::from(c) {
                code @ 0..=0xff => out.push_str(&format!("\\x{code:02X}")),
                code => out.push_str(&format!("\\u{code:04X}")),
            },
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Map, Value};
    use super::Style;

    fn nested() -> Value {
        let mut item = Map::default();
        item.put("name", "a");
        item.put("command", ["x", "y"].into_iter().collect::<Value>());
        item.put("none", Value::List(Vec::new()));
        let mut runtime = Map::default();
        runtime.put("mkdir", ["/x"].into_iter().collect::<Value>());
        item.put("runtime", runtime);
        let mut map = Map::default();
        map.put("services", [item].into_iter().collect::<Value>());
        map.put("text", "one\n\n two\n");
        map.into()
    }

    #[test]
    fn wide_style_indents_to_multiples_of_four_but_for_items() {
        let expected = "services:
    - name: a
      command:
        - x
        - \"y\"
      none: []
      runtime:
        mkdir:
            - /x
text: |
    one

     two
";
        assert_eq!(nested().to_yaml(Style::Wide), expected);
    }

    #[test]
    fn narrow_style_indents_by_two_and_not_the_items_of_a_key() {
        let expected = "services:
- name: a
  command:
  - x
  - \"y\"
  none: []
  runtime:
    mkdir:
    - /x
text: |
  one

   two
";
        assert_eq!(nested().to_yaml(Style::Narrow), expected);
    }

    #[test]
    fn text_is_quoted_only_where_it_would_be_read_as_something_else() {
        for (text, written) in [
            ("a", "a"),
            ("console=tty0 console=ttyS0", "console=tty0 console=ttyS0"),
            ("docker.io/x:y", "docker.io/x:y"),
            ("-f", "-f"),
            ("", "\"\""),
            ("0644", "\"0644\""),
            ("true", "\"true\""),
            ("yes", "\"yes\""),
            ("1:30", "\"1:30\""),
            ("2001-01-01", "\"2001-01-01\""),
            ("<<", "\"<<\""),
            ("- f", "'- f'"),
            ("a: b", "'a: b'"),
            ("a #b", "'a #b'"),
            ("it's", "it's"),
            ("'tis: so", "'''tis: so'"),
            ("@x", "'@x'"),
            ("[x", "'[x'"),
            (" x", "' x'"),
            ("x\ty", "\"x\\ty\""),
            ("\u{1}\u{2028}", "\"\\x01\\u2028\""),
            ("é", "é"),
        ] {
            assert_eq!(Value::from(text).to_yaml(Style::Wide), format!("{written}\n"), "{text:?}");
        }
    }
}
