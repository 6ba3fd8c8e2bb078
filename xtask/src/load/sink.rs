//! A webhook receiver that accepts everything and remembers which event came for which call.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::http::Wire;
use crate::failure::{Doing, Failure};

/// A listening receiver; dropping it closes it.
pub struct Sink {
    address: SocketAddr,
    told: Arc<Mutex<Told>>,
    listener: JoinHandle<()>,
}

/// What arrived: for each call, the ids of the events about it. Deliveries may repeat, ids of one event may not differ.
type Told = BTreeMap<String, BTreeSet<String>>;

impl Sink {
    /// Listens on a free port.
    pub async fn open() -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.doing("open a webhook receiver")?;
        let address = listener.local_addr().doing("read the receiver's address")?;
        let told = Arc::new(Mutex::new(Told::new()));
        let listener = tokio::spawn(accept(listener, Arc::clone(&told)));
        Ok(Self { address, told, listener })
    }

    /// Where to send webhooks.
    pub fn url(&self) -> String {
        format!("http://{}/webhook", self.address)
    }

    /// The distinct events that arrived about a call.
    pub fn events(&self, call: &str) -> usize {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).get(call).map_or(0, BTreeSet::len)
    }

    /// How many calls were reported.
    pub fn calls(&self) -> usize {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn accept(listener: TcpListener, told: Arc<Mutex<Told>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let told = Arc::clone(&told);
        tokio::spawn(async move {
            let _ = receive(stream, &told).await; // a killed server breaks its connections; it will deliver again
        });
    }
}

async fn receive(stream: TcpStream, told: &Mutex<Told>) -> io::Result<()> {
    let mut wire = Wire::new(stream)?;
    while let Some(message) = wire.read().await? {
        let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
        if let (Some(event), Some(call)) = (message.header("webhook-id"), body["call_id"].as_str()) {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.entry(call.to_owned()).or_default().insert(event.to_owned());
        }
        wire.stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
    }
    Ok(())
}
