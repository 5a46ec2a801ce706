//! Scenarios: a load test as a file. Who arrives and how often (stages), what they do (journeys of steps that pass data on), and
//! what has to hold (thresholds). Pure: reading a scenario does no I/O, and running one is in [`crate::run`].

mod bounds;
mod data;
mod raw;
mod read;
mod stages;
mod steps;
mod template;
mod threshold;

use std::{collections::BTreeMap, time::Duration};

pub use data::{Data, Values};
use http::{Method, Uri};
pub use read::read;
use serde_json::Value;
pub use stages::{Arriving, Segment, Stage, Stages};
pub use template::Template;
pub(crate) use template::fill;
pub use threshold::{Measure, Sign, Threshold};
pub use yaml::{Problem, Problems};

use crate::schedule::Arrivals;

/// The JSON Schema of a scenario, for editors. A test compares it with what [`read()`] accepts.
pub const SCHEMA: &str = include_str!("../../scenarios/schema.json");

/// A load test.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Name of its file.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Base URLs by name. The first, in alphabetical order, is the default of a step.
    pub targets: BTreeMap<String, Uri>,
    /// How the gaps between the starts of journeys vary.
    pub arrivals: Arrivals,
    /// Determines journeys, data, think times and arrival times.
    pub seed: u64,
    /// Journeys in flight at most; a start above that is skipped, counted and never caught up.
    pub max_in_flight: usize,
    /// Longest time for a request.
    pub timeout: Duration,
    /// What starts within this time from the beginning is not measured.
    pub warmup: Duration,
    /// Values that each journey draws at its start, by name.
    pub data: Vec<(String, Data)>,
    /// Journeys per second over time.
    pub stages: Stages,
    /// What a visitor does; at least one.
    pub journeys: Vec<Journey>,
    /// What has to hold.
    pub thresholds: Vec<Threshold>,
}

/// Steps that one visitor takes, one after the other. The first failure ends it.
#[derive(Debug, Clone)]
pub struct Journey {
    /// Its name.
    pub name: String,
    /// Share of the starts, in proportion to the sum of all weights.
    pub weight: u32,
    /// At least one.
    pub steps: Vec<Step>,
}

/// A request, or a request that is repeated until an answer arrives.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name: unique in the scenario, and the name in thresholds and reports.
    pub name: String,
    /// A key of [`Scenario::targets`].
    pub target: String,
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: Template,
    /// Headers by name.
    pub headers: Vec<(String, Template)>,
    /// A JSON body, whose strings are templates.
    pub body: Option<Value>,
    /// Mean of the exponential pause before the step; zero is none.
    pub think: Duration,
    /// Statuses that are right. Empty: 200 to 399.
    pub status: Vec<u16>,
    /// What has to be at these JSON pointers of the response.
    pub json: Vec<(String, Value)>,
    /// Variables for later steps, from these JSON pointers of the response.
    pub save: Vec<(String, String)>,
    /// Repeat until the response says so.
    pub until: Option<Until>,
}

/// When a repeated step is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Until {
    /// JSON pointer into the response.
    pub pointer: String,
    /// One of these ends the step.
    pub values: Vec<Value>,
    /// Pause between two requests.
    pub every: Duration,
    /// After this the step has failed.
    pub within: Duration,
}

impl Scenario {
    /// All steps with their journeys, in the order of the file. The position is the number of the step in a report.
    pub fn steps(&self) -> impl Iterator<Item = (&Journey, &Step)> {
        self.journeys.iter().flat_map(|journey| journey.steps.iter().map(move |step| (journey, step)))
    }
}
