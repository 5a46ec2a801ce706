//! What could not be drawn is refused with its place.

use serde_json::{Value, json};

use crate::support::{read, small};

/// The small board with one value changed, and what is said about it.
fn said(pointer: &str, key: &str, value: &Value) -> String {
    let mut board = small();
    let parent = board.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} exists"));
    parent[key] = value.clone();
    read(&board)
        .map(|board| board.uid)
        .expect_err(&format!("{pointer}/{key}: {value} was accepted"))
        .to_string()
}

#[test]
fn the_small_board_is_accepted() {
    let board = read(&small()).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((board.uid.as_str(), board.panels().count()), ("small", 1));
}

#[test]
fn an_unknown_kind_unit_option_transformation_or_override_is_named_with_its_place() {
    let panel = "/panels/0";
    for (pointer, key, value, wanted) in [
        (
            panel,
            "type",
            json!("piechart"),
            "panels[0] \"Rate\": a panel `piechart` cannot be drawn; expected timeseries",
        ),
        (
            "/panels/0/fieldConfig/defaults",
            "unit",
            json!("mph"),
            "panels[0] \"Rate\": fieldConfig.defaults.unit: `mph` cannot be drawn; expected s, percentunit",
        ),
        ("/panels/0/options/legend", "placement", json!("top"), "options.legend.placement: `top`"),
        ("/panels/0/options", "zoom", json!(true), "options.zoom: this setting is not known"),
        (panel, "repeat", json!("job"), "repeat: this setting is not known"),
        (
            panel,
            "transformations",
            json!([{ "id": "reduce", "options": {} }]),
            "transformations[0].id: this setting is not known",
        ),
        (
            "/panels/0/fieldConfig/defaults",
            "mappings",
            json!([{ "type": "range" }]),
            "mappings[0].type: `range`",
        ),
        (
            "/panels/0/fieldConfig/defaults",
            "color",
            json!({ "mode": "continuous-GrYlRd" }),
            "color.mode: `continuous-GrYlRd`",
        ),
        (
            "/panels/0/targets/0",
            "expr",
            json!("x{a=\"$nobody\"}"),
            "query A: there is no variable `$nobody`; there are: prometheus_datasource",
        ),
        ("/panels/0/gridPos", "w", json!(25), "gridPos: expected w and h from 1"),
        ("", "uid", json!(""), "uid: this is missing"),
        ("", "timezone", json!("browser"), "timezone: `browser` cannot be drawn; expected utc"),
        (
            "/templating/list/0",
            "type",
            json!("adhoc"),
            "templating.list[0] \"prometheus_datasource\": type: `adhoc`",
        ),
    ] {
        let said = said(pointer, key, &value);
        assert!(said.starts_with("small.json: ") && said.contains(wanted), "{pointer}/{key}: {said}");
    }
}

#[test]
fn overrides_that_cannot_be_drawn_are_named() {
    for (matcher, property, wanted) in [
        (
            json!({ "id": "byType", "options": "number" }),
            json!({ "id": "unit", "value": "s" }),
            "matcher.id: `byType`",
        ),
        (
            json!({ "id": "byName", "options": "a" }),
            json!({ "id": "custom.width", "value": 3 }),
            "the property `custom.width` cannot be drawn",
        ),
        (
            json!({ "id": "byName", "options": "a" }),
            json!({ "id": "unit", "value": "s" }),
            "needs a second axis",
        ),
        (
            json!({ "id": "byName", "options": "a" }),
            json!({ "id": "color", "value": { "mode": "fixed", "fixedColor": "pink" } }),
            "overrides[0]: color: fixedColor: `pink`",
        ),
        (
            json!({ "id": "byRegexp", "options": "/(/" }),
            json!({ "id": "displayName", "value": "x" }),
            "is not a regular expression",
        ),
    ] {
        let overrides = json!([{ "matcher": matcher, "properties": [property] }]);
        let said = said("/panels/0/fieldConfig", "overrides", &overrides);
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn all_mistakes_are_found_in_one_reading() {
    let mut board = small();
    board["panels"][0]["options"]["legend"]["placement"] = json!("top");
    board["timezone"] = json!("browser");
    let problems = read(&board).expect_err("two mistakes");
    assert_eq!(problems.problems.len(), 2, "{problems}");
    let broken = boards::Board::read("x.json", "{").expect_err("no JSON").to_string();
    assert!(broken.starts_with("x.json: line 1: this is not JSON"), "{broken}");
}
