//! Rows of two commands, and the table of their ratios.

use crate::Result;
use crate::cost::{self, Cost};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A row that has taken so long is run no more.
const ENOUGH: Duration = Duration::from_secs(40);
/// Bytes that a build may take.
const MEMORY: u64 = 96 << 20;

/// What a row has to show. What is none is not asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target {
    /// Ratio of the times.
    pub(crate) wall: Option<f64>,
    /// Added to the time that is allowed.
    pub(crate) slack: Duration,
    /// Ratio of the processors' times.
    pub(crate) cpu: Option<f64>,
    /// Ratio of the outputs' lengths.
    pub(crate) size: Option<f64>,
}

/// A command, and the file that it makes.
pub(crate) struct Contender<'a> {
    pub(crate) command: Box<dyn Fn() -> Command + 'a>,
    /// Is removed before each run and after the row; its length is compared.
    pub(crate) output: &'a Path,
    /// It is what the command reads instead.
    pub(crate) keep: bool,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(output: &'a Path, command: impl Fn() -> Command + 'a) -> Self {
        Contender { command: Box::new(command), output, keep: false }
    }
}

/// Ours against another.
pub(crate) struct Row<'a> {
    pub(crate) what: String,
    pub(crate) against: String,
    /// Programs that have to be there.
    pub(crate) tools: &'a [&'a str],
    pub(crate) ours: Contender<'a>,
    pub(crate) theirs: Option<Contender<'a>>,
    /// Ours does so many times the work of theirs.
    pub(crate) times: u32,
    /// How often both are run, unless that takes long.
    pub(crate) runs: u32,
    /// Ours is a build, whose memory has a limit.
    pub(crate) is_build: bool,
    pub(crate) target: Target,
}

impl Default for Row<'_> {
    fn default() -> Self {
        Row {
            what: String::new(),
            against: String::new(),
            tools: &[],
            ours: Contender::new(Path::new(""), || Command::new("true")),
            theirs: None,
            times: 1,
            runs: 3,
            is_build: true,
            target: Target::default(),
        }
    }
}

/// Prints each row when it is there.
#[derive(Default)]
pub(crate) struct Table {
    rows: usize,
    missed: usize,
}

impl Table {
    /// Runs both, and prints what came of it.
    pub(crate) fn row(&mut self, row: &Row<'_>) -> Result<()> {
        if self.rows == 0 {
            println!("| what | against | time | wall | CPU | size | memory | target | met |");
            println!("|---|---|---|---|---|---|---|---|---|");
        }
        self.rows += 1;
        let Row { what, against, .. } = row;
        if let Some(tool) = row.tools.iter().find(|tool| !cost::is_there(tool)) {
            self.missed += 1;
            println!("| {what} | {against} | | | | | | {} | `{tool}` is not installed |", row.target);
            return Ok(());
        }
        let measured = row.measure()?;
        row.ours.clear()?;
        row.theirs.iter().try_for_each(Contender::clear)?;
        let failures = row.failures(&measured);
        self.missed += usize::from(!failures.is_empty());
        let met = if failures.is_empty() { "yes".into() } else { format!("no: {}", failures.join(", ")) };
        let ratio = |ratio: Option<f64>, digits| ratio.map_or(String::new(), |r| format!("{r:.digits$}"));
        let memory = match row.is_build {
            true => format!("{} MiB", measured.ours.peak.div_ceil(1 << 20)),
            false => String::new(),
        };
        println!(
            "| {what} | {against} | {:.2} s | {} | {} | {} | {memory} | {} | {met} |",
            measured.ours.wall.as_secs_f64(),
            ratio(measured.wall, 2),
            ratio(measured.cpu, 2),
            ratio(measured.size, 3),
            row.target,
        );
        Ok(())
    }

    /// Prints how it went.
    pub(crate) fn end(&self) {
        println!("\n{} rows, {} of them without their target", self.rows, self.missed);
    }
}

/// What became of a row.
struct Measured {
    ours: Cost,
    theirs: Option<Cost>,
    wall: Option<f64>,
    cpu: Option<f64>,
    size: Option<f64>,
}

impl Row<'_> {
    fn measure(&self) -> Result<Measured> {
        let start = Instant::now();
        let mut best: Option<(Cost, Option<Cost>)> = None;
        for _ in 0..self.runs {
            let ours = self.ours.run()?;
            let theirs = self.theirs.as_ref().map(Contender::run).transpose()?;
            best = Some(match best {
                Some((a, b)) => (a.best(ours), b.zip(theirs).map(|(b, c)| b.best(c))),
                None => (ours, theirs),
            });
            if start.elapsed() > ENOUGH {
                break;
            }
        }
        let (ours, theirs) = best.ok_or("a row runs at least once")?;
        let per_work = |ours: Duration, theirs: Duration| {
            ours.as_secs_f64() / theirs.as_secs_f64() / f64::from(self.times)
        };
        let size = match &self.theirs {
            Some(theirs) if self.is_build => Some(self.ours.len()? / theirs.len()? / f64::from(self.times)),
            _ => None,
        };
        let wall = theirs.map(|theirs| per_work(ours.wall, theirs.wall));
        let cpu = theirs.map(|theirs| per_work(ours.cpu, theirs.cpu));
        Ok(Measured { ours, theirs, wall, cpu, size })
    }

    /// What of the target is not reached.
    fn failures(&self, measured: &Measured) -> Vec<&'static str> {
        let Target { wall, slack, cpu, size } = self.target;
        let above = |ratio: Option<f64>, limit: Option<f64>| {
            ratio.zip(limit).is_some_and(|(ratio, limit)| ratio > limit)
        };
        let spare = measured.theirs.map(|theirs| slack.as_secs_f64() / theirs.wall.as_secs_f64());
        let checks = [
            ("time", above(measured.wall, wall.zip(spare).map(|(wall, spare)| wall + spare))),
            ("CPU", above(measured.cpu, cpu)),
            ("size", above(measured.size, size)),
            ("memory", self.is_build && measured.ours.peak > MEMORY),
        ];
        checks.into_iter().filter(|(_, failed)| *failed).map(|(name, _)| name).collect()
    }
}

impl Contender<'_> {
    fn clear(&self) -> Result<()> {
        if !self.keep && self.output.exists() {
            std::fs::remove_file(self.output)?;
        }
        Ok(())
    }

    fn run(&self) -> Result<Cost> {
        self.clear()?;
        // What others wrote before is not to be waited for now.
        cost::run(&mut cost::shell(Path::new("/"), "sync"))?;
        cost::run(&mut (self.command)())
    }

    /// Bytes of the output; outputs of more than 2^52 there are none.
    fn len(&self) -> Result<f64> {
        let len = std::fs::metadata(self.output)?.len();
        Ok(f64::from(u32::try_from(len >> 10)?) + f64::from(u32::try_from(len % 1024)?) / 1024.0)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if let Some(wall) = self.wall {
            parts.push(format!("time {wall}"));
        }
        if !self.slack.is_zero() {
            parts.push(format!("+ {} ms", self.slack.as_millis()));
        }
        if let Some(cpu) = self.cpu {
            parts.push(format!("CPU {cpu}"));
        }
        if let Some(size) = self.size {
            parts.push(format!("size {size}"));
        }
        f.write_str(&parts.join(" "))
    }
}
