//! The sources of spans. A process describes itself in the same way with every batch; the description is stored once.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use opentelemetry_proto::tonic::{
    common::v1::{InstrumentationScope, any_value::Value},
    resource::v1::Resource,
};
use prost::Message;

/// A resource and an instrumentation scope.
#[derive(Debug)]
pub struct Source {
    /// `service.name`.
    pub service: Box<str>,
    resource: Box<[u8]>,
    scope: Box<[u8]>,
}

impl Source {
    /// As received.
    #[must_use]
    pub fn new(resource: &Resource, scope: &InstrumentationScope) -> Self {
        let name = resource.attributes.iter().find(|attribute| attribute.key == "service.name");
        let service = match name.and_then(|n| n.value.as_ref()).and_then(|v| v.value.as_ref()) {
            Some(Value::StringValue(name)) if !name.is_empty() => name.as_str(),
            // The name that the specification prescribes for a service without one.
            _ => "unknown_service",
        };
        Self {
            service: service.into(),
            resource: resource.encode_to_vec().into_boxed_slice(),
            scope: scope.encode_to_vec().into_boxed_slice(),
        }
    }

    /// The attributes of the process.
    #[must_use]
    pub fn resource(&self) -> Resource {
        Resource::decode(&*self.resource).unwrap_or_default()
    }

    /// The library that created the spans.
    #[must_use]
    pub fn scope(&self) -> InstrumentationScope {
        InstrumentationScope::decode(&*self.scope).unwrap_or_default()
    }

    /// Whether both come from the same process.
    #[must_use]
    pub fn same_process(&self, other: &Self) -> bool {
        self.resource == other.resource
    }

    fn bytes(&self) -> usize {
        // The entry with spare room, the counters of the `Arc`, and the allocator's share of four allocations.
        let overhead = 2 * size_of::<(u64, Vec<Entry>)>() + size_of::<Entry>() + size_of::<Self>() + 5 * 16;
        overhead + self.service.len() + self.resource.len() + self.scope.len()
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.resource, &self.scope).hash(&mut hasher);
        hasher.finish()
    }

    fn same(&self, other: &Self) -> bool {
        self.same_process(other) && self.scope == other.scope
    }
}

#[derive(Debug)]
struct Entry {
    source: Arc<Source>,
    uses: usize,
}

/// The sources of all stored spans, with the number of their uses.
#[derive(Debug, Default)]
pub(super) struct Sources {
    known: HashMap<u64, Vec<Entry>>,
    bytes: usize,
}

impl Sources {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The one copy of `source`, with one more use.
    pub(super) fn intern(&mut self, source: Source) -> Arc<Source> {
        let entries = self.known.entry(source.hash()).or_default();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.source.same(&source)) {
            entry.uses += 1;
            return Arc::clone(&entry.source);
        }
        self.bytes += source.bytes();
        let source = Arc::new(source);
        entries.push(Entry { source: Arc::clone(&source), uses: 1 });
        source
    }

    /// Counts one more use of a stored source.
    pub(super) fn reuse(&mut self, source: &Arc<Source>) {
        let entries = self.known.get_mut(&source.hash()).into_iter().flatten();
        entries.filter(|entry| Arc::ptr_eq(&entry.source, source)).for_each(|entry| entry.uses += 1);
    }

    /// Counts `uses` fewer; a source without uses is dropped.
    pub(super) fn release(&mut self, source: &Arc<Source>, uses: usize) {
        let key = source.hash();
        let Some(entries) = self.known.get_mut(&key) else { return };
        let Some(at) = entries.iter().position(|entry| Arc::ptr_eq(&entry.source, source)) else { return };
        entries[at].uses = entries[at].uses.saturating_sub(uses);
        if entries[at].uses == 0 {
            self.bytes -= entries.swap_remove(at).source.bytes();
        }
        if entries.is_empty() {
            self.known.remove(&key);
        }
    }
}
