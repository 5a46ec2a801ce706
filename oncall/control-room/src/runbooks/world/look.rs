//! The questions of runbooks: Prometheus, log lines, admin ports, named queries of PostgreSQL. None of them
//! changes anything, and each has a deadline.

use std::{collections::BTreeMap, time::Duration};

use chrono::{TimeDelta, Utc};
use futures::future::join_all;
use observe::innermost;
use reqwest::Client;
use runbook::{Answer, Call, answer::Sample};
use serde_json::{Map, Value};

use super::{named, of};
use crate::{
    actions::{elsewhere, token},
    error::{Error, Result},
    eyes::{Wanted, within},
    room::Room,
};

/// Largest number of series: a query with more is too wide to be a condition.
const SERIES: usize = 1000;
/// Largest number of log lines that are counted.
const LINES: usize = 5000;
/// What is kept of a body or a line, in characters.
const SHOWN: usize = 300;
/// For questions that go through several systems.
const PATIENCE: Duration = Duration::from_secs(8);

/// The answer to a question, or why it could not be asked.
pub(super) async fn ask(client: &Client, room: &Room, call: &Call) -> Answer {
    let asked = async {
        match call {
            Call::Promql { query } => promql(room, query).await,
            Call::Log { service, level, text, within } => {
                log(room, service, level.as_deref(), text.as_deref(), *within).await
            }
            Call::Http { service, instance, path } => {
                http(client, room, service, instance.as_deref(), path).await
            }
            Call::Sql { database, text, values, .. } => sql(room, database, text, values).await,
        }
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => Answer::Failed { why: error.to_string() },
        Err(_) => Answer::Failed { why: format!("no answer within {} s", PATIENCE.as_secs()) },
    }
}

async fn promql(room: &Room, query: &str) -> Result<Answer> {
    let answer = within("Prometheus", room.eyes.prometheus.answer(query)).await?;
    let data = &answer["data"];
    let samples = if data["resultType"] == "scalar" {
        vec![Sample { labels: BTreeMap::new(), value: value(&data["result"])? }]
    } else {
        let series = data["result"].as_array().map(Vec::as_slice).unwrap_or_default();
        if series.len() > SERIES {
            let count = series.len();
            return Err(Error::Elsewhere(format!("{count} series: expected a query with at most {SERIES}")));
        }
        series.iter().map(sample).collect::<Result<_>>()?
    };
    Ok(Answer::Samples { samples })
}

fn sample(series: &Value) -> Result<Sample> {
    let labels = series["metric"].as_object().into_iter().flatten();
    let labels = labels.filter(|(name, _)| *name != "__name__");
    let labels = labels.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    Ok(Sample { labels: labels.collect(), value: value(&series["value"])? })
}

/// Of a pair of a time and a text.
fn value(pair: &Value) -> Result<f64> {
    let number = pair[1].as_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| Error::Elsewhere(format!("Prometheus answered no number: {pair}")))
}

async fn log(
    room: &Room,
    service: &str,
    level: Option<&str>,
    text: Option<&str>,
    within: Duration,
) -> Result<Answer> {
    let back = TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX);
    let wanted = Wanted {
        services: vec![service.to_owned()],
        level: level.map(str::to_owned),
        text: text.map(str::to_owned),
        trace: None,
        since: Utc::now().checked_sub_signed(back).unwrap_or_default(),
        limit: LINES,
    };
    let lines = room.eyes.logs.lines(&wanted).await?;
    let newest = lines.last().map(|line| shown(&line.message));
    Ok(Answer::Lines { count: lines.len() as u64, newest })
}

/// The worst answer of the replicas: none, or the highest status.
async fn http(
    client: &Client,
    room: &Room,
    service: &str,
    instance: Option<&str>,
    path: &str,
) -> Result<Answer> {
    // In a cluster the place knows the replica by its own name.
    let known = of(&room.eyes.admins, service);
    let found = instance.and_then(|instance| known.into_iter().find(|admin| named(admin, instance)));
    let wanted = found.map(|admin| admin.instance.name.as_str()).or(instance).unwrap_or(service);
    let replicas = room.eyes.place.replicas(Some(wanted), token(room)).await.map_err(elsewhere)?;
    let gets = replicas.iter().map(|replica| async move {
        let request = client.get(format!("{}{path}", replica.admin()));
        let request = match token(room) {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await?;
        let code = answer.status().as_u16();
        Ok::<_, reqwest::Error>((code, shown(&answer.text().await?)))
    });
    let answers = join_all(gets).await.into_iter().map(|answer| match answer {
        Ok((code, body)) => Answer::Status { code, body },
        Err(error) => Answer::Failed { why: innermost(&error) },
    });
    answers.max_by_key(badness).ok_or_else(|| Error::Elsewhere(format!("{service} has no replica")))
}

/// No answer is worse than any status.
fn badness(answer: &Answer) -> u16 {
    match answer {
        Answer::Status { code, .. } => *code,
        _ => u16::MAX,
    }
}

async fn sql(room: &Room, database: &str, text: &str, values: &[String]) -> Result<Answer> {
    let rows = room.eyes.tools.sql(database, text, values).await.map_err(elsewhere)?;
    let columns: Vec<String> = rows.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    let row = |row: &Map<String, Value>| -> Vec<String> {
        columns.iter().map(|column| cell(row.get(column))).collect()
    };
    let rows = rows.iter().map(row).collect();
    Ok(Answer::Rows { columns, rows })
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => shown(text),
        Some(other) => other.to_string(),
    }
}

/// One line, not too long.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sample_has_its_labels_without_the_name_and_a_scalar_is_a_pair() {
        let series = json!({ "metric": { "__name__": "up", "job": "order-api" }, "value": [1.5, "0.25"] });
        let read = sample(&series).unwrap();
        assert_eq!(read.labels, BTreeMap::from([("job".to_owned(), "order-api".to_owned())]));
        assert!((read.value - 0.25).abs() < f64::EPSILON);
        assert!(value(&json!([1.5, "NaN"])).unwrap().is_nan());
        assert!(value(&json!([])).unwrap_err().to_string().contains("no number"));
    }

    #[test]
    fn the_worst_answer_of_several_replicas_counts() {
        let status = |code| Answer::Status { code, body: String::new() };
        let gone = Answer::Failed { why: "refused".to_owned() };
        let worst = [status(200), gone.clone(), status(503)].into_iter().max_by_key(badness);
        assert_eq!(worst, Some(gone));
        let worst = [status(503), status(200)].into_iter().max_by_key(badness);
        assert_eq!(worst, Some(status(503)));
    }
}
