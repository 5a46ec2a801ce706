//! A form of a page: sent by the visitor who got it from here, with the fields that the page has and no others.

use axum::{
    extract::{FromRef, FromRequest, Request},
    response::{IntoResponse, Response},
};
use chassis_http::Problem;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;

use super::{Access, Refusal, Visitor};
use crate::room::Room;

/// The hidden field that [`Access::csrf`] fills.
pub(crate) const FIELD: &str = "csrf";

/// The fields of a form, without the hidden one. `T` says `deny_unknown_fields`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Form<T>(pub T);

impl<T, S> FromRequest<S> for Form<T>
where
    T: DeserializeOwned,
    Room: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let room = Room::from_ref(state);
        let (mut parts, body) = request.into_parts();
        let visitor =
            <Visitor as axum::extract::FromRequestParts<S>>::from_request_parts(&mut parts, state).await?;
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            let expected = "application/x-www-form-urlencoded, as browsers send a form";
            return Err(Refusal::field("Content-Type", expected).into_response());
        }
        let body =
            chassis_serve::body::collect(body).await.map_err(|error| Problem::from(error).into_response())?;
        read(&body, &room.access, &visitor).map(Self).map_err(IntoResponse::into_response)
    }
}

/// The fields of a form that this visitor got from here.
fn read<T: DeserializeOwned>(body: &[u8], access: &Access, visitor: &Visitor) -> Result<T, Refusal> {
    let (hidden, fields): (Vec<_>, Vec<_>) =
        url::form_urlencoded::parse(body).partition(|(name, _)| name == FIELD);
    let right = access.csrf(visitor);
    let ours = match hidden.as_slice() {
        [(_, sent)] => bool::from(sent.as_bytes().ct_eq(right.as_bytes())),
        _ => false,
    };
    if !ours {
        let detail = "The page that it was on is out of date, or belongs to somebody else. Nothing was changed: go back, \
                      load the page again and send the form once more.";
        return Err(Refusal::form(detail, Vec::new()));
    }
    // The deserializer reads encoded text only.
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "form".to_owned() } else { path };
        Refusal::field(field, error.into_inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use incident::Viewer;

    use super::*;
    use crate::access::tests::access;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Note {
        text: String,
        task: Option<u32>,
    }

    #[tokio::test]
    async fn a_form_is_taken_from_the_visitor_who_got_it_and_nobody_else() {
        let access = access(&[]).await;
        let ada = Visitor::new(Some("ada"), Viewer::Trainee);
        let csrf = access.csrf(&ada);
        let sent = |fields: &str| read::<Note>(fields.as_bytes(), &access, &ada);
        let note = Note { text: "a b&c".to_owned(), task: Some(2) };
        assert_eq!(sent(&format!("csrf={csrf}&text=a+b%26c&task=2")), Ok(note));
        let instructor = Visitor { role: Viewer::Instructor, ..ada.clone() };
        for other in [String::new(), "0".repeat(64), access.csrf(&instructor), format!("{csrf}&csrf={csrf}")]
        {
            let refused = sent(&format!("csrf={other}&text=x")).unwrap_err();
            assert!(refused.detail.contains("out of date"), "{refused:?}");
        }
        assert!(sent("text=x").is_err());
    }

    #[tokio::test]
    async fn a_wrong_or_unknown_field_is_named() {
        let access = access(&[]).await;
        let ada = Visitor::new(Some("ada"), Viewer::Trainee);
        let csrf = access.csrf(&ada);
        for (fields, said) in [("text=x&task=many", "task"), ("text=x&sealed=1", "sealed"), ("", "text")] {
            let refused =
                read::<Note>(format!("csrf={csrf}&{fields}").as_bytes(), &access, &ada).unwrap_err();
            assert_eq!(refused.status, 422);
            let (field, expected) = &refused.fields[0];
            assert!(field.contains(said) || expected.contains(said), "{refused:?}");
        }
    }
}
