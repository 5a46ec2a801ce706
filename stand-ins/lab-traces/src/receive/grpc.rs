//! OTLP/gRPC: `opentelemetry.proto.collector.trace.v1.TraceService/Export`, plain or gzip.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use tonic::{Request, Response, Status, codec::CompressionEncoding};

use super::{Intake, MAX_REQUEST};
use crate::metrics::Protocol;

/// The gRPC service.
#[must_use]
pub fn service(intake: Intake) -> TraceServiceServer<impl TraceService> {
    TraceServiceServer::new(Receiver { intake })
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(MAX_REQUEST)
}

struct Receiver {
    intake: Intake,
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        // UNAVAILABLE is the status that OTLP lets an exporter retry.
        let _place = self
            .intake
            .enter(Protocol::Grpc)
            .ok_or_else(|| Status::unavailable("too many requests at once"))?;
        Ok(Response::new(self.intake.accept(request.into_inner(), Protocol::Grpc)))
    }
}
