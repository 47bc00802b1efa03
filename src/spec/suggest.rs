//! The known word that an unknown one was probably meant to be.

/// Bytes of a word that is compared.
const MAX_WORD: usize = 64;
/// A longer candidate differs from any such word in more than a third of its letters, which have
/// four bytes at most.
const MAX_CANDIDATE: usize = 4 * MAX_WORD * 3 / 2;

/// The candidate nearest to `word`, if it is near: a third of the letters may differ, and case
/// does not count.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // What is very long was not a slip of the finger, and costs its square.
    if word.len() > MAX_WORD {
        return None;
    }
    let word: Vec<char> = word.to_lowercase().chars().collect();
    candidates
        .iter()
        .filter(|candidate| candidate.len() <= MAX_CANDIDATE)
        .map(|candidate| {
            let letters: Vec<char> = candidate.to_lowercase().chars().collect();
            let allowed = (word.len().max(letters.len()) / 3).max(1);
            (distance(&word, &letters), allowed, *candidate)
        })
        .filter(|(distance, allowed, _)| distance <= allowed)
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., candidate)| candidate)
}

/// Letters to insert, to delete, to replace or to swap with the next one.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let keys = ["kernel", "init", "onboot", "onshutdown", "services", "files", "volumes"];
        for (word, meant) in [
            ("kernal", "kernel"),
            ("Kernel", "kernel"),
            ("intt", "init"),
            ("inti", "init"),
            ("service", "services"),
            ("onbot", "onboot"),
            ("onshutdwon", "onshutdown"),
        ] {
            assert_eq!(nearest(word, &keys), Some(meant), "{word}");
        }
    }

    #[test]
    fn a_word_like_no_other_is_not() {
        for word in ["x", "network", "", "ΐ", &"kernel".repeat(1000)] {
            assert_eq!(nearest(word, &["kernel", "init"]), None, "{word}");
        }
        // Without half a GiB of rows.
        assert_eq!(nearest("kernel", &[&"kernel".repeat(4 << 20)]), None);
    }
}
