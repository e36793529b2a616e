//! The assistant's tools as an MCP server, whatever it is reached by: `calup mcp` (cli/mcp.rs) or `/mcp` (web/mcp.rs).

use std::sync::Arc;

use axum::http::request::Parts;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, model};
use serde_json::Value;
use store::rows::Token;

use crate::app::App;
use crate::tools::{self, By, TOOLS, Tool};

/// What a model is told besides the tools' own descriptions.
const INSTRUCTIONS: &str = include_str!("mcp/instructions.md");

pub struct Server {
    pub app: Arc<App>,
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("calup", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let all = TOOLS.into_iter().map(shown).collect();
        Ok(ListToolsResult::with_all_items(all))
    }

    fn get_tool(&self, name: &str) -> Option<model::Tool> {
        tools::tool(name).ok().map(shown)
    }

    async fn call_tool(
        &self,
        asked: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Err(trouble) = tools::tool(&asked.name) {
            return Err(ErrorData::invalid_params(
                trouble.error.clone(),
                Some(trouble.json()),
            ));
        }
        let by = by(&context);
        let arguments = Value::Object(asked.arguments.unwrap_or_default());
        let answer = tokio::select! {
            answer = tools::call(&self.app, &by, &asked.name, &arguments) => answer,
            // Nobody is told.
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("cancelled", None)),
        };
        Ok(match answer {
            Ok(result) => CallToolResult::structured(result),
            // A model can mend what it asked for, or say what to do.
            Err(trouble) => CallToolResult::structured_error(trouble.json()),
        }
        .into())
    }
}

fn shown(tool: &dyn Tool) -> model::Tool {
    let Value::Object(schema) = tool.input_schema() else {
        unreachable!("a tool's schema is an object");
    };
    // What it proposes is written down here; nothing outside is changed, so nothing can be destroyed.
    let hints = ToolAnnotations::with_title(tool.title())
        .read_only(!tool.proposes())
        .destructive(false)
        .idempotent(!tool.proposes())
        // Cal.com, the CRM, and what strangers wrote there.
        .open_world(true);
    model::Tool::new(tool.name(), tool.description(), schema)
        .with_title(tool.title())
        .with_annotations(hints)
}

/// Whose token it is; without one it is whoever started this process.
fn by(context: &RequestContext<RoleServer>) -> By {
    let request = context.extensions.get::<Parts>();
    let token = request.and_then(|request| request.extensions.get::<Token>());
    By {
        name: token.map_or_else(|| "mcp".to_owned(), |token| token.name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_every_tool_and_no_other() {
        let document = include_str!("../../../docs/mcp.md");
        let rows = document.lines().filter(|line| line.ends_with("s |"));
        let documented: Vec<&str> = rows.filter(|row| row.starts_with("| `")).collect();
        let kind = |tool: &dyn Tool| if tool.proposes() { "proposes" } else { "reads" };
        let row =
            |tool: &dyn Tool| format!("| `{}` | {} | {} |", tool.name(), tool.title(), kind(tool));
        let all: Vec<String> = TOOLS.into_iter().map(row).collect();
        assert_eq!(documented, all);
    }
}
