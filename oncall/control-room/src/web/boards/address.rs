//! What the address of a board says: time range, variables, rows that were opened or folded, how often it is drawn again.

use boards::{
    Board,
    range::{encode, length},
    scope::Scope,
};

use crate::error::Error;

/// Never draw again.
pub(super) const OFF: &str = "off";

/// The address of a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Start of the range.
    pub(super) from: String,
    /// End of the range.
    pub(super) to: String,
    /// How often it is drawn again: `5s`, or `off`.
    pub(super) refresh: String,
    /// Rows that are not as the file says: open instead of folded, or the reverse.
    pub(super) turned: Vec<u64>,
    /// All pairs, for variables.
    pub(super) pairs: Vec<(String, String)>,
}

impl Address {
    /// Reads the query of an address. What it does not say, the board says.
    ///
    /// # Errors
    /// When the board does not offer this refresh. What Grafana adds and is not needed here is left alone.
    pub(super) fn read(board: &Board, query: Option<&str>) -> Result<Self, Error> {
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        let given = |name: &str| {
            let found = pairs.iter().rev().find(|(key, value)| key == name && !value.trim().is_empty());
            found.map(|(_, value)| value.trim().to_owned())
        };
        let refresh = given("refresh").unwrap_or_else(|| board.refresh.clone());
        let refresh = if refresh.is_empty() { OFF.to_owned() } else { refresh };
        if refresh != OFF && refresh != board.refresh && !board.refreshes.contains(&refresh) {
            let known = board.refreshes.join(", ");
            return Err(Error::field(
                "refresh",
                format!("expected {OFF} or one of {known}, found `{refresh}`"),
            ));
        }
        let rows = given("rows").unwrap_or_default();
        let turned = rows.split(',').filter_map(|row| row.parse().ok()).collect();
        Ok(Self {
            from: given("from").unwrap_or_else(|| board.time.0.clone()),
            to: given("to").unwrap_or_else(|| board.time.1.clone()),
            refresh,
            turned,
            pairs,
        })
    }

    /// How often it is drawn again, for the script.
    pub(super) fn every(&self) -> Option<String> {
        length(&self.refresh).map(|_| format!("every {}, news", self.refresh))
    }

    /// Whether a row is folded.
    pub(super) fn is_folded(&self, row: u64, folded: bool) -> bool {
        self.turned.contains(&row) != folded
    }

    /// The address with another range.
    pub(super) fn with_range(&self, board: &Board, scope: &Scope, from: &str) -> String {
        let other = Self { from: from.to_owned(), to: "now".to_owned(), ..self.clone() };
        other.written(board, scope)
    }

    /// The address with a row folded or opened.
    pub(super) fn with_row(&self, board: &Board, scope: &Scope, row: u64) -> String {
        let mut other = self.clone();
        match other.turned.iter().position(|turned| *turned == row) {
            Some(at) => {
                other.turned.remove(at);
            }
            None => other.turned.push(row),
        }
        format!("{}#row-{row}", other.written(board, scope))
    }

    /// The address of this board as it is shown.
    pub(super) fn written(&self, board: &Board, scope: &Scope) -> String {
        let mut url = format!("/d/{}?from={}&to={}", board.uid, encode(&self.from), encode(&self.to));
        if self.refresh != board.refresh {
            url.push_str(&format!("&refresh={}", encode(&self.refresh)));
        }
        if !self.turned.is_empty() {
            let rows: Vec<String> = self.turned.iter().map(u64::to_string).collect();
            url.push_str(&format!("&rows={}", rows.join(",")));
        }
        let variables = scope.query();
        if !variables.is_empty() {
            url.push('&');
            url.push_str(&variables);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    fn board() -> Board {
        let text =
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../dashboards/grafana/order-api.json"));
        Board::read("order-api.json", text).expect("an accepted board")
    }

    fn written(query: &str) -> String {
        let board = board();
        let address = Address::read(&board, Some(query)).unwrap();
        let range = boards::range::Range::read(&address.from, &address.to, Utc::now()).unwrap();
        address.written(&board, &Scope::new(&board, range, 1.0, &address.pairs))
    }

    #[test]
    fn an_address_survives_reading_and_writing() {
        let all = "var-instance=%24__all&var-job=%24__all";
        assert_eq!(written(""), format!("/d/order-api?from=now-15m&to=now&{all}"));
        let chosen = "from=now-1h&to=now&refresh=30s&rows=39&var-instance=a%3A1&var-job=order-api";
        assert_eq!(written(chosen), format!("/d/order-api?{chosen}"));
        // Grafana's own parameters are ignored.
        assert_eq!(written("orgId=1&kiosk"), written(""));
    }

    #[test]
    fn a_row_is_turned_and_turned_back() {
        let board = board();
        let folded = board.rows.iter().find(|row| row.folded).unwrap().id;
        let mut address = Address::read(&board, None).unwrap();
        assert!(address.is_folded(folded, true) && !address.is_folded(1, false));
        address.turned.push(folded);
        assert!(!address.is_folded(folded, true));
    }

    #[test]
    fn a_refresh_that_the_board_does_not_offer_is_refused() {
        let wrong = Address::read(&board(), Some("refresh=1ms")).unwrap_err().to_string();
        assert!(wrong.contains("refresh: expected off or one of 1s, 5s"), "{wrong}");
        assert_eq!(Address::read(&board(), Some("refresh=off")).unwrap().every(), None);
        assert_eq!(Address::read(&board(), None).unwrap().every().as_deref(), Some("every 5s, news"));
    }
}
