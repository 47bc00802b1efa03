//! The parts of a disk that a sparse container has to hold.
//!
//! ```text
//! disk    ├── data ──┼────── hole ──────┼─ data ─┼─ hole ─┤
//! units   ├────┼────┼────┼────┼────┼────┼────┼────┼────┼────┤
//! runs    ├───── Run ─────┤         ├──── Run ────┤
//! ```

use crate::layout::{Content, Cursor, Layout};

/// Neighbouring units of a disk of which none is wholly a hole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The first one's number.
    pub(crate) first: u64,
    /// Whole units; beyond the end of the disk they are a hole.
    pub(crate) content: Layout,
}

/// The runs of `disk`, ascending, with units of `unit` bytes.
pub(crate) fn runs(disk: &Layout, unit: u64) -> Vec<Run> {
    let mut cursor = Cursor::new(disk);
    let run = |(first, end): (u64, u64)| {
        let at = first * unit;
        let mut content = cursor.window(at, (end * unit).min(disk.len()) - at);
        content.pad_to_multiple(unit);
        Run { first, content }
    };
    ranges(disk, unit).into_iter().map(run).collect()
}

/// The runs of `disk` as numbers of units: the first, and the one after the last.
fn ranges(disk: &Layout, unit: u64) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    let mut at = 0;
    for content in disk.extents() {
        let start = at;
        at += content.len();
        if matches!(content, Content::Hole(_)) {
            continue;
        }
        let (first, end) = (start / unit, at.div_ceil(unit));
        match ranges.last_mut() {
            Some(last) if first <= last.1 => last.1 = last.1.max(end),
            _ => ranges.push((first, end)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `d` is a byte of data, `.` one of a hole.
    fn disk(map: &str) -> Layout {
        let mut layout = Layout::default();
        for byte in map.bytes() {
            layout.push(if byte == b'd' { vec![1].into() } else { Content::Hole(1) });
        }
        layout
    }

    #[test]
    fn only_units_that_are_wholly_holes_are_left_out() {
        for (map, want) in [
            ("", vec![]),
            ("........", vec![]),
            ("dddd", vec![(0, 1)]),
            ("d...d...", vec![(0, 2)]),
            ("....d....", vec![(1, 2)]),
            ("...d....d...", vec![(0, 1), (2, 3)]),
            (".dd.d..d........d", vec![(0, 2), (4, 5)]),
        ] {
            assert_eq!(ranges(&disk(map), 4), want, "{map}");
        }
    }

    #[test]
    fn the_last_unit_is_filled_with_a_hole() {
        let runs = runs(&disk("........ddd"), 4);
        assert_eq!(runs, [Run { first: 2, content: disk("ddd.") }]);
    }
}
