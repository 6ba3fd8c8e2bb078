//! `kaicalls recordings`: the sound of calls, over the API, with a key.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::client::Client;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Format, say};

/// Get recordings (API)
#[derive(Debug, Subcommand)]
pub(crate) enum Recordings {
    /// Save the recording of a call to a file and print the file's name
    Get {
        /// Id of the call
        #[arg(value_name = "CALL")]
        call: String,
        /// File to write; `-` for standard output [default: the call's id, in this folder]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

impl Recordings {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let client = Client::configured(&config)?;
        let Self::Get { call, output } = self;
        let recording = client.find("/recordings", &[("call_id", Some(call.clone()))]).await?;
        let Some(url) = recording["recording_url"].as_str() else {
            let status = recording["status"].as_str().unwrap_or("unavailable");
            return Err(Failure::Because(format!("there is no recording of this call to get ({status})")));
        };
        let mut pieces = client.file(url).await?;
        if output.as_deref() == Some(Path::new("-")) {
            while let Some(piece) = pieces.next().await {
                output::bytes(&piece?)?;
            }
            return Ok(());
        }
        let extension = match recording["content_type"].as_str() {
            Some("audio/mpeg") => "mp3",
            _ => "wav",
        };
        let path = output.unwrap_or_else(|| PathBuf::from(format!("{call}.{extension}")));
        let problem = |error: std::io::Error| {
            Failure::Because(format!("{} cannot be written: {error}", path.display()))
        };
        // A file of this name is whole or what it was before.
        let begun = path.with_extension("part");
        let mut file = tokio::fs::File::create(&begun).await.map_err(problem)?;
        let mut size = 0;
        while let Some(piece) = pieces.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    drop(tokio::fs::remove_file(&begun).await);
                    return Err(error);
                }
            };
            size += piece.len();
            file.write_all(&piece).await.map_err(problem)?;
        }
        file.sync_all().await.map_err(problem)?;
        tokio::fs::rename(&begun, &path).await.map_err(problem)?;
        match format {
            Format::Json => output::json(&json!({ "file": path.display().to_string(), "bytes": size })),
            Format::Text => say!("{}", path.display()),
        }
    }
}
