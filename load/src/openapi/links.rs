//! Where the id in a path comes from.

use serde_json::Value;

use super::{
    Operation,
    sample::{example, kind, parameters, properties, resolved},
};

/// Where the ids of an operation come from.
pub(super) enum Source<'a> {
    /// It needs none, or the document has examples.
    Document,
    /// The response of another operation.
    Step {
        /// Called first.
        operation: Operation<'a>,
        /// The parameter that it has the value of.
        variable: &'a str,
        /// Where in the response.
        pointer: String,
    },
}

/// Where the id in the path of `operation` comes from; `None` if nothing says so. A path with two unknown ids is not tried.
pub(super) fn source<'a>(
    document: &'a Value,
    all: &[Operation<'a>],
    operation: &Operation<'a>,
    writes: bool,
) -> Option<Source<'a>> {
    let names = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let given = |name: &str| {
        let mut named =
            parameters(document, operation).filter(|p| p.get("name").and_then(Value::as_str) == Some(name));
        named.any(|parameter| example(parameter).is_some())
    };
    let unknown: Vec<&'a str> = names.filter(|name| !given(name)).collect();
    let variable = match unknown.as_slice() {
        [] => return Some(Source::Document),
        [one] => *one,
        _ => return None,
    };
    // `/orders/{id}/items` has its ids from `/orders`.
    let parent = operation.path.split('{').next()?.trim_end_matches('/');
    let at = |method: &str| all.iter().copied().find(|other| other.method == method && other.path == parent);
    let created =
        at("post").filter(|_| writes).and_then(|other| Some((other, id(document, &other, variable)?)));
    let listed = || at("get").and_then(|other| Some((other, first(document, &other, variable)?)));
    let (operation, pointer) = created.or_else(listed)?;
    Some(Source::Step { operation, variable, pointer })
}

/// The pointer to the id in the response of an operation that creates something.
fn id<'a>(document: &'a Value, operation: &Operation<'a>, variable: &str) -> Option<String> {
    property(document, response(document, operation)?, variable)
}

/// The pointer to the id of the first thing in the response of an operation that lists them.
fn first<'a>(document: &'a Value, operation: &Operation<'a>, variable: &str) -> Option<String> {
    let schema = response(document, operation)?;
    if let Some(items) = items(document, schema) {
        return Some(format!("/0{}", property(document, items, variable)?));
    }
    properties(document, schema).into_iter().find_map(|(name, schema)| {
        let items = items(document, schema)?;
        Some(format!("/{name}/0{}", property(document, items, variable)?))
    })
}

/// What an array is made of.
fn items<'a>(document: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let schema = resolved(document, schema);
    if kind(schema) == "array" { schema.get("items") } else { None }
}

/// The property with the parameter's name, or `id`.
fn property(document: &Value, schema: &Value, variable: &str) -> Option<String> {
    let properties = properties(document, schema);
    let has = |wanted: &&str| properties.iter().any(|(name, _)| name == wanted);
    [variable, "id"].into_iter().find(has).map(|name| format!("/{name}"))
}

/// The schema of the first good JSON response.
fn response<'a>(document: &'a Value, operation: &Operation<'a>) -> Option<&'a Value> {
    let responses = operation.what.get("responses")?.as_object()?;
    responses.iter().filter(|(status, _)| status.starts_with('2')).find_map(|(_, response)| {
        let schema = resolved(document, response).get("content")?.get("application/json")?.get("schema")?;
        Some(resolved(document, schema))
    })
}
