//! What a scalar means. \[YAML\] §10.3 "Core Schema".

use crate::spec::error::Problem;
use granit_parser::{ScalarStyle, Tag};

/// A scalar: its text, and what that means.
#[derive(Debug)]
pub(in crate::spec) struct Scalar {
    /// The text without quotes and escapes.
    pub(in crate::spec) text: String,
    pub(in crate::spec) value: Value,
}

/// What the text of a scalar means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::spec) enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// An integer; every one that a field can hold fits.
    Int(i128),
    /// Another number.
    Float,
    /// The text itself.
    Text,
    /// The merge key, `<<`.
    Merge,
}

impl Scalar {
    /// The scalar of an event, and what is wrong with its tag.
    pub(super) fn new(
        text: String,
        style: ScalarStyle,
        tag: Option<&Tag>,
        implicit: bool,
    ) -> (Self, Option<Problem>) {
        if implicit && tag.is_none() {
            return (Scalar { text: String::new(), value: Value::Null }, None);
        }
        let plain = style == ScalarStyle::Plain;
        let (value, problem) = match tag.map(|tag| (tag, tag.core_suffix())) {
            None if plain => (resolve(&text), None),
            None | Some((_, Some("str"))) => (Value::Text, None),
            Some((_, Some("null" | "bool" | "int" | "float"))) => (resolve(&text), None),
            // `!` alone: the text, whatever it looks like.
            Some((tag, None)) if tag.handle().is_empty() && tag.suffix() == "!" => (Value::Text, None),
            Some((tag, _)) => (Value::Text, Some(Problem::Tag { tag: tag.original() })),
        };
        (Scalar { text, value }, problem)
    }
}

/// What a plain scalar means.
pub(in crate::spec) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        "<<" => Value::Merge,
        _ if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => Value::Text,
        _ => number(text),
    }
}

fn number(text: &str) -> Value {
    let digits = text.replace('_', "");
    let (sign, bare) = match digits.strip_prefix('-') {
        Some(bare) => (-1, bare),
        None => (1, digits.strip_prefix('+').unwrap_or(&digits)),
    };
    let (radix, figures) = match bare.get(..2) {
        Some("0x" | "0X") => (16, &bare[2..]),
        Some("0o" | "0O") => (8, &bare[2..]),
        Some("0b" | "0B") => (2, &bare[2..]),
        Some(_) if bare.starts_with('0') => (8, &bare[1..]),
        _ => (10, bare),
    };
    let all_figures = !figures.is_empty() && figures.chars().all(|c| c.is_digit(radix));
    if all_figures {
        // More than 38 digits: a number still, but too large for every field.
        return i128::from_str_radix(figures, radix).map_or(Value::Float, |n| Value::Int(sign * n));
    }
    if is_float(bare) { Value::Float } else { Value::Text }
}

/// `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, then maybe `[eE][-+]?[0-9]+`; or infinity, or not a number.
fn is_float(bare: &str) -> bool {
    if matches!(bare, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let is_digits = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    let (mantissa, exponent) = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (bare, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && is_digits(e)
    });
    exponent_ok && is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Value, resolve};

    #[test]
    fn plain_scalars_mean_what_yaml_v3_says() {
        for (text, value) in [
            ("", Value::Null),
            ("null", Value::Null),
            ("nULL", Value::Text),
            ("True", Value::Bool(true)),
            ("yes", Value::Text),
            ("on", Value::Text),
            ("0", Value::Int(0)),
            ("42", Value::Int(42)),
            ("-42", Value::Int(-42)),
            ("+1_000", Value::Int(1000)),
            ("0644", Value::Int(0o644)),
            ("0o644", Value::Int(0o644)),
            ("0x1F", Value::Int(31)),
            ("0b101", Value::Int(5)),
            ("0888", Value::Float),
            ("18446744073709551615", Value::Int(u64::MAX.into())),
            ("999999999999999999999999999999999999999999", Value::Float),
            ("1.5", Value::Float),
            ("1.", Value::Float),
            (".5", Value::Float),
            ("1e3", Value::Float),
            (".nan", Value::Float),
            ("-.inf", Value::Float),
            (".", Value::Text),
            ("-", Value::Text),
            ("1e", Value::Text),
            ("1.2.3", Value::Text),
            ("0-1", Value::Text),
            ("--1", Value::Text),
            ("0x", Value::Text),
        ] {
            assert_eq!(resolve(text), value, "{text:?}");
        }
    }
}
