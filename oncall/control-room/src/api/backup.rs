//! The control room's file as a whole, for backups. For instructors: what is sealed is in it.

use axum::{
    body::Body,
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use chassis_http::Problem;
use http::header::CONTENT_TYPE;
use tokio_util::io::ReaderStream;

use super::openapi::Refusals;
use crate::{access::Instructor, error::Error, room::Room, store};

/// A copy of the control room's SQLite file, as of one transaction. For instructors.
#[utoipa::path(get, path = "/api/v1/backup", operation_id = "backup",
    responses(Refusals, (status = 200, description = "The file: application/vnd.sqlite3.")))]
pub(crate) async fn backup(Shared(room): Shared<Room>, _instructor: Instructor) -> Result<Response, Problem> {
    let Some(file) = &room.config.file else {
        let what = "everything is in memory, so there is no file to copy".to_owned();
        return Err(Error::NotHere { what, next: "set ROOM_FILE".to_owned() }.into());
    };
    let copy = tokio::fs::File::from_std(store::copy(file).await?);
    // In pieces: the file may be larger than the memory that the control room may use.
    let body = Body::from_stream(ReaderStream::new(copy));
    Ok(([(CONTENT_TYPE, "application/vnd.sqlite3")], body).into_response())
}
