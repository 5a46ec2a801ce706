//! From a call of the protocol to a function of [`tools`]. What goes wrong with a call is an answer that the
//! caller reads; an error of the protocol is only what cannot be routed.

use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, JsonObject,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    caller::Caller,
    catalogue,
    tools::{self, Answer, Nothing},
};
use crate::{
    SERVICE,
    error::{Error, Result},
    room::Room,
};

/// The server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Server {
    room: Room,
}

impl Server {
    pub(super) fn new(room: &Room) -> Self {
        Self { room: room.clone() }
    }

    /// Calls a tool; `None` if no tool has this name.
    async fn call(&self, caller: &Caller, name: &str, given: JsonObject) -> Option<Result<Answer>> {
        let room = &self.room;
        // Reads the arguments, then calls.
        macro_rules! with {
            ($tool:path) => {
                match read(given) {
                    Ok(asked) => $tool(room, caller, asked).await,
                    Err(error) => Err(error),
                }
            };
        }
        // The same for tools that take nothing.
        macro_rules! without {
            ($tool:path) => {
                match read::<Nothing>(given) {
                    Ok(Nothing {}) => $tool(room, caller).await,
                    Err(error) => Err(error),
                }
            };
        }
        Some(match name {
            "current_drill" => without!(tools::current_drill),
            "list_alerts" => with!(tools::alerts),
            "read_incident" => with!(tools::incidents),
            "service_map" => with!(tools::map),
            "list_changes" => with!(tools::changes),
            "query_metrics" => with!(tools::metrics),
            "search_logs" => with!(tools::logs),
            "find_traces" => with!(tools::traces),
            "read_runbook" => with!(tools::runbooks),
            "list_actions" => without!(tools::list_actions),
            "act" => with!(tools::act),
            "acknowledge" => with!(tools::acknowledge),
            "post_update" => with!(tools::post_update),
            "take_hint" => without!(tools::take_hint),
            "submit_diagnosis" => with!(tools::submit_diagnosis),
            "submit_done" => without!(tools::submit_done),
            _ => return None,
        })
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let who = Implementation::new(SERVICE.name, SERVICE.version).with_title("SRE Lab control room");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(who)
            .with_instructions(catalogue::INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        catalogue::find(name)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> std::result::Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(catalogue::tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> std::result::Result<CallToolResponse, ErrorData> {
        let caller = context.extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Caller>());
        let Some(caller) = caller.cloned() else {
            return Err(ErrorData::internal_error("the caller is not known", None));
        };
        let given = request.arguments.unwrap_or_default();
        match self.call(&caller, &request.name, given).await {
            Some(answer) => Ok(said(answer).into()),
            None => {
                let text = format!("there is no tool `{}`; tools/list has those that exist", request.name);
                Err(ErrorData::invalid_params(text, None))
            }
        }
    }
}

/// The arguments of a tool.
fn read<T: DeserializeOwned>(given: JsonObject) -> Result<T> {
    serde_path_to_error::deserialize(Value::Object(given)).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "arguments".to_owned() } else { path };
        Error::field(field, error.into_inner().to_string())
    })
}

/// An answer as a model reads it: JSON, or a sentence about what is wrong.
fn said(answer: Result<Answer>) -> CallToolResult {
    match answer {
        Ok(answer) => CallToolResult::success(vec![ContentBlock::text(answer.into_value().to_string())]),
        Err(error) => {
            if matches!(error, Error::Store(_) | Error::Row(_)) {
                tracing::error!(%error, "a tool was not answered");
            }
            CallToolResult::error(vec![ContentBlock::text(error.to_string())])
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(value: &Value) -> JsonObject {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn wrong_arguments_are_named() {
        let refused = |value: Value| read::<tools::MetricsAsked>(given(&value)).unwrap_err().to_string();
        assert!(refused(json!({})).contains("missing field `query`"));
        assert!(refused(json!({ "query": "up", "limit": "many" })).starts_with("limit: "));
        assert!(refused(json!({ "query": "up", "time": "now" })).contains("unknown field `time`"));
        assert!(read::<tools::MetricsAsked>(given(&json!({ "query": "up" }))).is_ok());
    }

    #[test]
    fn what_is_wrong_is_an_answer_of_the_tool() {
        let wrong = said(Err(Error::field("start", "before `end`")));
        assert_eq!(wrong.is_error, Some(true));
        let text = serde_json::to_value(&wrong).unwrap();
        assert_eq!(text["content"][0]["text"], "start: before `end`");
        let right = said(Ok(Answer::new(json!({ "alerts": [] }))));
        assert_eq!(right.is_error, Some(false));
    }
}
