//! Times in UTC, as digits and as bytes.

use crate::tree::Time;

/// \[ECMA-119\] §9.1.5: the year is one byte, from 1900. Times beyond are the first or the last.
const TIMES: std::ops::RangeInclusive<i64> = -2_208_988_800..=5_869_583_999;
const DAY: i64 = 24 * 60 * 60;

/// \[ECMA-119\] §8.4.26.1: digits, hundredths of a second, and the offset from UTC.
pub(super) type Digits = [u8; 17];
/// \[ECMA-119\] §8.4.26.1: no time.
pub(super) const UNSPECIFIED: Digits = *b"0000000000000000\0";

/// A second of the calendar.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Civil {
    fn new(time: Time) -> Self {
        let seconds = time.seconds.clamp(*TIMES.start(), *TIMES.end());
        let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        // Years from March, so that the day that only leap years have is the last. 1600-03-01 is
        // the first day of one of the 400 years after which the calendar repeats itself.
        let days = days + 135_080;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // Five months have 153 days, from March and from August.
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (year, month) = match month {
            0..=9 => (year, month + 3),
            _ => (year + 1, month - 9),
        };
        let year = 1600 + 400 * era + year;
        Civil { year, month, day, hour: second / 3600, minute: second / 60 % 60, second: second % 60 }
    }
}

/// \[ECMA-119\] §9.1.5: the time in a directory record. The last byte is the offset from UTC.
pub(super) fn bytes(time: Time) -> [u8; 7] {
    let c = Civil::new(time);
    [c.year - 1900, c.month, c.day, c.hour, c.minute, c.second, 0]
        .map(|n| u8::try_from(n).expect("a year of 1900 to 2155, and parts of one"))
}

/// The time in a volume descriptor.
pub(super) fn digits(time: Time) -> Digits {
    let c = Civil::new(time);
    let text =
        format!("{:04}{:02}{:02}{:02}{:02}{:02}00\0", c.year, c.month, c.day, c.hour, c.minute, c.second);
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
            let c = Civil::new(Time::from_unix(seconds));
            assert_eq!((c.year, c.month, c.day), (year, month, day));
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
