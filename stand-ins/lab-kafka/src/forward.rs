//! The constant port: forwards each connection to the first broker that is up.
//!
//! Clients use it only to bootstrap; from the metadata they learn the brokers' own ports. When this process has been killed
//! and restarted, those have changed, and clients learn the new ones through this address.

use tokio::net::{TcpListener, TcpStream};

use crate::cluster::Cluster;

/// Accepts connections until it is dropped.
pub async fn serve(listener: TcpListener, cluster: Cluster) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                tokio::spawn(pass(client, cluster.clone()));
            }
            // Probably out of file descriptors: others may be closed in a moment.
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn pass(mut client: TcpStream, cluster: Cluster) {
    for broker in cluster.reachable() {
        if let Ok(mut broker) = TcpStream::connect(broker).await {
            let _ = (client.set_nodelay(true), broker.set_nodelay(true));
            // Either side may cut the connection at any time; that is not an error here.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut broker).await;
            return;
        }
    }
}
