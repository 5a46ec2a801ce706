//! The attributes of the subject by which a plan of a fault may select: declared by the services, carried as baggage.

/// One attribute of the subject of a unit of work, such as the account that a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its key in W3C baggage.
    pub key: &'static str,
    /// The parameter of plans that selects by it.
    pub param: &'static str,
    /// What that parameter means.
    pub summary: &'static str,
}
