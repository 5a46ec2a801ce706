//! Calls about buckets: create, delete, versioning, lifecycle.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use chrono::{DateTime, SecondsFormat, Utc};
use http::StatusCode;

use super::{
    Call, Operation,
    answer::{self, NAMESPACE, set, with},
    blocking, body,
    xml::{self, Element},
};
use crate::{
    error::{Code, S3Error},
    store::{Rule, Versioning},
};

/// Most rules of a lifecycle.
const MOST_RULES: usize = 1000;

/// A time as S3 writes it in documents.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

pub(super) async fn dispatch(call: Call, operation: Operation, body: Body) -> Result<Response, S3Error> {
    let store = Arc::clone(&call.s3.store);
    match operation {
        Operation::ListBuckets => Ok(answer::document(&list(&store.buckets()))),
        Operation::CreateBucket => create(call, body).await,
        Operation::DeleteBucket => {
            blocking(move || store.delete_bucket(&call.bucket)).await?;
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
        Operation::HeadBucket => {
            store.settings(&call.bucket)?;
            Ok(with(answer::empty(StatusCode::OK), "x-amz-bucket-region", &call.s3.keys.region))
        }
        Operation::GetBucketLocation => {
            store.settings(&call.bucket)?;
            let region = &call.s3.keys.region;
            let mut root = Element::new("LocationConstraint").within(NAMESPACE);
            // The oldest region has no name here.
            if region != "us-east-1" {
                root.text.clone_from(region);
            }
            Ok(answer::document(&root))
        }
        Operation::GetBucketVersioning => {
            let root = Element::new("VersioningConfiguration").within(NAMESPACE);
            let status = match store.settings(&call.bucket)?.versioning {
                Versioning::Never => return Ok(answer::document(&root)),
                Versioning::Enabled => "Enabled",
                Versioning::Suspended => "Suspended",
            };
            Ok(answer::document(&root.text("Status", status)))
        }
        Operation::PutBucketVersioning => put_versioning(call, body).await,
        Operation::PutBucketLifecycleConfiguration => put_lifecycle(call, body).await,
        Operation::DeleteBucketLifecycle => {
            blocking(move || store.configure(&call.bucket, |settings| settings.lifecycle.clear())).await?;
            Ok(answer::empty(StatusCode::NO_CONTENT))
        }
        _ => get_lifecycle(&call),
    }
}

fn list(buckets: &[(String, DateTime<Utc>)]) -> Element {
    let each = buckets.iter().map(|(name, created)| {
        Element::new("Bucket").text("Name", name).text("CreationDate", &time(*created))
    });
    Element::new("ListAllMyBucketsResult")
        .within(NAMESPACE)
        .child(Element::new("Owner").text("ID", "lab"))
        .child(Element::new("Buckets").children(each))
}

async fn create(call: Call, body: Body) -> Result<Response, S3Error> {
    let bytes = body::to_memory(&call, body).await?;
    if !bytes.is_empty() {
        let root = xml::read(&bytes)?;
        let wanted = root.get_text("LocationConstraint").map(str::trim).filter(|region| !region.is_empty());
        if wanted.is_some_and(|region| region != call.s3.keys.region) {
            let message = format!("This store is in the region {}.", call.s3.keys.region);
            return Err(S3Error::new(Code::InvalidArgument, message));
        }
    }
    let (store, place) = (Arc::clone(&call.s3.store), format!("/{}", call.bucket));
    blocking(move || store.create_bucket(&call.bucket)).await?;
    let mut response = answer::empty(StatusCode::OK);
    set(&mut response, "location", &place);
    Ok(response)
}

async fn put_versioning(call: Call, body: Body) -> Result<Response, S3Error> {
    let root = xml::read(&body::to_memory(&call, body).await?)?;
    let versioning = match root.get_text("Status").map(str::trim) {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(S3Error::new(Code::MalformedXML, "Status is Enabled or Suspended.")),
    };
    let store = Arc::clone(&call.s3.store);
    blocking(move || store.configure(&call.bucket, |settings| settings.versioning = versioning)).await?;
    Ok(answer::empty(StatusCode::OK))
}

async fn put_lifecycle(call: Call, body: Body) -> Result<Response, S3Error> {
    let root = xml::read(&body::to_memory(&call, body).await?)?;
    let rules = root.all("Rule").map(rule).collect::<Result<Vec<_>, _>>()?;
    if rules.is_empty() || rules.len() > MOST_RULES {
        return Err(S3Error::new(Code::MalformedXML, "A lifecycle has 1 to 1000 rules."));
    }
    let store = Arc::clone(&call.s3.store);
    blocking(move || store.configure(&call.bucket, |settings| settings.lifecycle = rules)).await?;
    Ok(answer::empty(StatusCode::OK))
}

/// A rule as S3 writes it, if it says nothing that this store cannot do: a rule that is half kept would delete the wrong things.
fn rule(element: &Element) -> Result<Rule, S3Error> {
    let wrong = |message: &str| S3Error::new(Code::MalformedXML, message);
    let days = |parent: &str, name: &str| -> Result<Option<u32>, S3Error> {
        let Some(parent) = element.get(parent) else { return Ok(None) };
        let text = parent.get_text(name).ok_or_else(|| {
            let message = format!("This store has rules by {name} only.");
            S3Error::new(Code::NotImplemented, message)
        })?;
        let days = text.trim().parse::<u32>().ok().filter(|days| *days > 0);
        days.map(Some).ok_or_else(|| S3Error::new(Code::InvalidArgument, format!("{name} must be positive.")))
    };
    let known = [
        "ID",
        "Status",
        "Prefix",
        "Filter",
        "Expiration",
        "NoncurrentVersionExpiration",
        "AbortIncompleteMultipartUpload",
    ];
    if let Some(other) = element.children.iter().find(|child| !known.contains(&child.name.as_str())) {
        let message = format!("This store has no {} in rules.", other.name);
        return Err(S3Error::new(Code::NotImplemented, message));
    }
    let filter = element.get("Filter");
    if filter.is_some_and(|filter| filter.children.iter().any(|child| child.name != "Prefix")) {
        return Err(S3Error::new(Code::NotImplemented, "This store filters by Prefix only."));
    }
    let prefix = filter.and_then(|filter| filter.get_text("Prefix")).or(element.get_text("Prefix"));
    let rule = Rule {
        id: element.get_text("ID").unwrap_or_default().to_owned(),
        enabled: match element.get_text("Status").map(str::trim) {
            Some("Enabled") => true,
            Some("Disabled") => false,
            _ => return Err(wrong("Status is Enabled or Disabled.")),
        },
        prefix: prefix.unwrap_or_default().to_owned(),
        days: days("Expiration", "Days")?,
        noncurrent_days: days("NoncurrentVersionExpiration", "NoncurrentDays")?,
        abort_days: days("AbortIncompleteMultipartUpload", "DaysAfterInitiation")?,
    };
    if rule.days.or(rule.noncurrent_days).or(rule.abort_days).is_none() {
        return Err(wrong("At least one action needs to be specified in a rule."));
    }
    Ok(rule)
}

fn get_lifecycle(call: &Call) -> Result<Response, S3Error> {
    let rules = call.s3.store.settings(&call.bucket)?.lifecycle;
    if rules.is_empty() {
        let message = "The lifecycle configuration does not exist.";
        return Err(S3Error::new(Code::NoSuchLifecycleConfiguration, message));
    }
    let rules = rules.iter().map(|rule| {
        let mut element = Element::new("Rule")
            .text("ID", &rule.id)
            .child(Element::new("Filter").text("Prefix", &rule.prefix))
            .text("Status", if rule.enabled { "Enabled" } else { "Disabled" });
        for (action, name, days) in [
            ("Expiration", "Days", rule.days),
            ("NoncurrentVersionExpiration", "NoncurrentDays", rule.noncurrent_days),
            ("AbortIncompleteMultipartUpload", "DaysAfterInitiation", rule.abort_days),
        ] {
            if let Some(days) = days {
                element = element.child(Element::new(action).text(name, &days.to_string()));
            }
        }
        element
    });
    let root = Element::new("LifecycleConfiguration").within(NAMESPACE).children(rules);
    Ok(answer::document(&root))
}
