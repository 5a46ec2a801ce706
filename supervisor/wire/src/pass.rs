//! One connection: two directions, each a reader and a writer with a short queue between them, so that bytes which are
//! on their way do not keep later ones from setting out.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    time::{Duration, Instant, sleep, sleep_until},
};

use crate::{
    Conditions, Gate,
    dice::Dice,
    lane::{Lane, Lanes},
    reset,
};

/// Most bytes that are read at a time.
const CHUNK: usize = 16 * 1024;
/// Most chunks that are on their way in one direction: 1 MiB, then the sender has to wait, as for a full window.
const UNDER_WAY: usize = 64;

/// The connection broke, and both sides are told by a reset.
struct Broken;

/// Serves a connection to its end.
pub(crate) async fn serve(
    mut client: TcpStream,
    target: SocketAddr,
    mut dice: Dice,
    lanes: Arc<Lanes>,
    mut conditions: watch::Receiver<Conditions>,
) {
    // A connection that comes while there is no way to the target waits, and takes no place there.
    let open = |now: &Conditions| matches!(now.gate, Gate::Open | Gate::Cut);
    let Ok(now) = conditions.wait_for(open).await.map(|now| *now) else { return reset(&client) };
    if now.gate == Gate::Cut {
        return reset(&client);
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return reset(&client) };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let whole = {
        let (client_in, client_out) = client.split();
        let (server_in, server_out) = server.split();
        let (there, back) = (dice.other(), dice.other());
        let both = async {
            tokio::try_join!(
                pump(client_in, server_out, &lanes.there, there, conditions.clone()),
                pump(server_in, client_out, &lanes.back, back, conditions.clone())
            )
        };
        let mut watching = conditions.clone();
        tokio::select! {
            done = both => done.is_ok(),
            _ = watching.wait_for(|now| now.gate == Gate::Cut) => false,
        }
    };
    if !whole {
        reset(&client);
        reset(&server);
    }
}

/// One direction, until its sender closes.
async fn pump(
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    lane: &Lane,
    dice: Dice,
    conditions: watch::Receiver<Conditions>,
) -> Result<(), Broken> {
    let (queue, arriving) = mpsc::channel(UNDER_WAY);
    tokio::try_join!(read(from, queue), write(arriving, to, lane, dice, conditions)).map(|_| ())
}

/// Notes when bytes set out. Ends at the end of the stream, which closes the queue.
async fn read(mut from: ReadHalf<'_>, queue: mpsc::Sender<(Instant, Vec<u8>)>) -> Result<(), Broken> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(_) => return Err(Broken),
        };
        if queue.send((Instant::now(), buffer[..read].to_vec())).await.is_err() {
            return Err(Broken);
        }
    }
}

async fn write(
    mut arriving: mpsc::Receiver<(Instant, Vec<u8>)>,
    mut to: WriteHalf<'_>,
    lane: &Lane,
    mut dice: Dice,
    mut conditions: watch::Receiver<Conditions>,
) -> Result<(), Broken> {
    while let Some((since, bytes)) = arriving.recv().await {
        let now = passable(&mut conditions).await?;
        if now.loss > 0.0 && dice.roll() < now.loss {
            return Err(Broken);
        }
        if now.latency_ms > 0 || now.jitter_ms > 0 {
            sleep_until(since + now.delay(&mut dice)).await;
        }
        tokio::select! {
            () = lane.pass(bytes.len(), now.bandwidth) => {}
            // With another bandwidth, bytes do not wait for what was left of the one before: that may be minutes.
            _ = conditions.wait_for(|new| new.bandwidth != now.bandwidth) => {}
        }
        to.write_all(&bytes).await.map_err(|_| Broken)?;
    }
    let now = passable(&mut conditions).await?;
    if now.slow_close_ms > 0 {
        sleep(Duration::from_millis(now.slow_close_ms)).await;
    }
    to.shutdown().await.map_err(|_| Broken)
}

/// The conditions as soon as bytes of an open connection pass.
async fn passable(conditions: &mut watch::Receiver<Conditions>) -> Result<Conditions, Broken> {
    conditions.wait_for(|now| now.gate != Gate::Hold).await.map(|now| *now).map_err(|_| Broken)
}
