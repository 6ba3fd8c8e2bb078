//! `kaicalls opt-outs`: who asked not to be called.

use clap::Subcommand;
use domain::BusinessId;
use domain::clock::written;
use serde_json::{Value, json};
use store::opt_outs::{Certainty, OptOut};

use crate::commands::arguments;
use crate::commands::keys::ModeName;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Column, Format, say};
use crate::{commands, wiring};

/// List the numbers that must not be called, and lift such wishes (database)
#[derive(Debug, Subcommand)]
pub(crate) enum OptOuts {
    /// List the numbers that must not be called; `doubtful` marks those whose owner never confirmed the wish
    List,
    /// Remove a number from the do-not-call list, so that it may be called again
    Remove {
        /// Phone number in E.164 format, like +15125550123
        number: String,
        /// Id of the business that may call the number again [default: the only one]
        #[arg(long, value_name = "ID", value_parser = arguments::id_of::<BusinessId>)]
        business: Option<BusinessId>,
        /// live: the list for real calls; test: the list for sandbox calls
        #[arg(long, value_enum, default_value = "live")]
        mode: ModeName,
    },
}

const COLUMNS: &[Column] = &[
    ("NUMBER", "phone_number"),
    ("MODE", "mode"),
    ("BUSINESS", "business_id"),
    ("SINCE", "created_at"),
    ("BY", "source"),
    ("CERTAINTY", "certainty"),
];

impl OptOuts {
    pub(crate) async fn run(self, config: Config, format: Format) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::List => {
                let wishes = store.read(|tx| Box::pin(async move { store::opt_outs::all(tx).await })).await?;
                output::rows(format, &wishes.iter().map(row).collect::<Vec<_>>(), COLUMNS)
            }
            Self::Remove { number, business, mode } => {
                let number = commands::phone("NUMBER", &number)?;
                let business = commands::business(&store, business).await?;
                let app = wiring::operators_app(&config, store)?;
                if !app::opt_outs::lift(&app, business, mode.into(), number.clone()).await? {
                    return Err(Failure::Because(
                        "this number is not on the list of that business and mode; `kaicalls opt-outs list` shows which \
                         it is on, and --business and --mode choose them"
                            .to_owned(),
                    ));
                }
                match format {
                    Format::Json => output::json(&json!({ "phone_number": number.as_str(), "lifted": true })),
                    Format::Text => say!("lifted"),
                }
            }
        }
    }
}

fn row(wish: &OptOut) -> Value {
    let certainty = match wish.certainty {
        Certainty::Clear => "clear",
        Certainty::Doubtful => "doubtful",
    };
    json!({
        "phone_number": wish.phone_number.as_str(),
        "mode": wish.mode.as_str(),
        "business_id": wish.business_id.to_string(),
        "created_at": written(wish.created_at),
        "source": wish.source,
        "certainty": certainty,
    })
}
