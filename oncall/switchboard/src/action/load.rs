//! How many requests per second the load generator sends: what a limit at the door would do.

use reqwest::Method;

use super::Outcome;
use crate::{Error, Result, Tools};

pub(super) async fn act(tools: &Tools, rps: f64, dry: bool) -> Result<Vec<Outcome>> {
    if !rps.is_finite() || rps < 0.0 {
        let expected = format!("expected a number of requests per second, 0 or more, found {rps}");
        return Err(Error::Wrong { field: "rps", expected });
    }
    let before = tools.load_rate().await?;
    if dry {
        return Ok(vec![Outcome::good(
            "load",
            format!("{before} requests per second now; it would be {rps}"),
        )]);
    }
    let wanted = rps.to_string();
    tools.load()?.call(Method::PUT, "/rate", &[("rps", wanted.as_str())]).await?;
    Ok(vec![Outcome::good("load", format!("{rps} requests per second; it was {before}"))])
}
