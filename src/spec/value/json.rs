//! JSON as Go's `json.MarshalIndent` writes it, four spaces a level.

use super::Value;
use std::fmt::{self, Write};

impl Value {
    /// The value as JSON, without a newline at the end.
    pub(crate) fn to_json(&self) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = write_value(&mut out, self, 0);
        out
    }
}

fn write_value(out: &mut String, value: &Value, level: usize) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Number(value) => write!(out, "{value}"),
        Value::Text(text) => write_text(out, text),
        Value::List(items) => {
            write_all(out, level, ['[', ']'], items, |out, item| write_value(out, item, level + 1))
        }
        Value::Map(map) => write_all(out, level, ['{', '}'], &map.0, |out, (key, value)| {
            write_text(out, key)?;
            out.write_str(": ")?;
            write_value(out, value, level + 1)
        }),
    }
}

fn write_all<T>(
    out: &mut String,
    level: usize,
    brackets: [char; 2],
    items: &[T],
    mut write_item: impl FnMut(&mut String, &T) -> fmt::Result,
) -> fmt::Result {
    out.push(brackets[0]);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write!(out, "\n{:width$}", "", width = (level + 1) * 4)?;
        write_item(out, item)?;
    }
    if !items.is_empty() {
        write!(out, "\n{:width$}", "", width = level * 4)?;
    }
    out.push(brackets[1]);
    Ok(())
}

/// Go also escapes what HTML and JavaScript would take for their own.
fn write_text(out: &mut String, text: &str) -> fmt::Result {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write!(out, "\\u{:04x}", u32::from(c))?,
            _ => out.push(c),
        }
    }
    out.push('"');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Map, Value};

    #[test]
    fn empty_collections_are_on_one_line_and_others_are_indented() {
        let mut map = Map::default();
        map.put("none", Value::List(Vec::new()));
        map.put("no keys", Map::default());
        map.put("list", ["a", "b"].into_iter().collect::<Value>());
        map.put("null", Value::Null);
        let json = Value::from(map).to_json();
        assert_eq!(
            json,
            "{\n    \"none\": [],\n    \"no keys\": {},\n    \"list\": [\n        \"a\",\n        \"b\"\n    ],\n    \"null\": null\n}"
        );
    }

    #[test]
    fn text_is_escaped_as_go_does() {
        let text = Value::from("<b>&'\"\\\u{1}\u{7f}\n\r\t\u{8}\u{c}\u{2028}é🦀");
        assert_eq!(
            text.to_json(),
            "\"\\u003cb\\u003e\\u0026'\\\"\\\\\\u0001\u{7f}\\n\\r\\t\\b\\f\\u2028é🦀\""
        );
    }
}
