//! Times in UTC, as digits and as bytes.

use crate::tree::Time;
use time::OffsetDateTime;

/// \[ECMA-119\] §9.1.5: the year is one byte, from 1900. Times beyond are the first or the last.
const TIMES: std::ops::RangeInclusive<i64> = -2_208_988_800..=5_869_583_999;

/// \[ECMA-119\] §8.4.26.1: digits, hundredths of a second, and the offset from UTC.
pub(super) type Digits = [u8; 17];
/// \[ECMA-119\] §8.4.26.1: no time.
pub(super) const UNSPECIFIED: Digits = *b"0000000000000000\0";

fn calendar(time: Time) -> OffsetDateTime {
    let seconds = time.seconds.clamp(*TIMES.start(), *TIMES.end());
    OffsetDateTime::from_unix_timestamp(seconds).expect("years of 1900 to 2155")
}

/// \[ECMA-119\] §9.1.5: the time in a directory record. The last byte is the offset from UTC.
pub(super) fn bytes(time: Time) -> [u8; 7] {
    let t = calendar(time);
    let year = u8::try_from(t.year() - 1900).expect("years of 1900 to 2155");
    [year, t.month().into(), t.day(), t.hour(), t.minute(), t.second(), 0]
}

/// The time in a volume descriptor.
pub(super) fn digits(time: Time) -> Digits {
    let t = calendar(time);
    let [_, month, day, hour, minute, second, _] = bytes(time);
    let text = format!("{:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}00\0", t.year());
    text.as_bytes().try_into().expect("years of four digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        // date -u -d @SECONDS +%Y%m%d%H%M%S
        let table = [
            (0, "19700101000000"),
            (-1, "19691231235959"),
            (951_782_399, "20000228235959"),
            (951_782_400, "20000229000000"),
            (951_868_800, "20000301000000"),
            (1_700_000_000, "20231114221320"),
            (4_107_542_399, "21000228235959"),
            (4_107_542_400, "21000301000000"),
            (-2_203_891_200, "19000301000000"),
            (-2_203_891_201, "19000228235959"),
            (i64::MIN, "19000101000000"),
            (i64::MAX, "21551231235959"),
        ];
        for (seconds, want) in table {
            assert_eq!(digits(Time::from_unix(seconds)), *format!("{want}00\0").as_bytes(), "{seconds}");
        }
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let (mut year, mut month, mut day) = (1900, 1, 1);
        for seconds in TIMES.step_by(86_400) {
            let found = digits(Time::from_unix(seconds));
            assert_eq!(found, *format!("{year:04}{month:02}{day:02}00000000\0").as_bytes());
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > last {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (2156, 1, 1));
    }

    #[test]
    fn bytes_and_digits_are_of_one_time() {
        assert_eq!(bytes(Time { seconds: 1_700_000_000, nanos: 999_999_999 }), [123, 11, 14, 22, 13, 20, 0]);
    }
}
