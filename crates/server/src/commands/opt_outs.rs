//! `kaicalls opt-outs`: who asked not to be called.

use clap::Subcommand;
use domain::BusinessId;
use store::opt_outs::Certainty;

use crate::commands::keys::ModeName;
use crate::config::Config;
use crate::failure::Failure;
use crate::wiring;

/// Show and lift wishes not to be called
#[derive(Debug, Subcommand)]
pub(crate) enum OptOuts {
    /// List them; `doubtful` marks wishes that were never confirmed
    List,
    /// Lift one: the number may be called again
    Remove {
        /// In E.164
        number: String,
        /// Whose calls it did not want
        #[arg(long, value_name = "ID")]
        business: String,
        /// In which mode
        #[arg(long, value_enum, default_value = "live")]
        mode: ModeName,
    },
}

impl OptOuts {
    pub(crate) async fn run(self, config: Config) -> Result<(), Failure> {
        let store = wiring::open_store(&config, false).await?;
        match self {
            Self::List => {
                let wishes = store.read(|tx| Box::pin(async move { store::opt_outs::all(tx).await })).await?;
                for wish in wishes {
                    let (number, business) = (wish.phone_number, wish.business_id);
                    let doubt = match wish.certainty {
                        Certainty::Clear => "",
                        Certainty::Doubtful => "  doubtful",
                    };
                    println!(
                        "{number:<16}  {}  business {business}  since {}  by {}{doubt}",
                        wish.mode, wish.created_at, wish.source
                    );
                }
            }
            Self::Remove { number, business, mode } => {
                let number = super::phone("NUMBER", &number)?;
                let business = super::id::<BusinessId>("--business", &business)?;
                let app = wiring::build_app(&config, store)?;
                if !app::opt_outs::lift(&app, business, mode.into(), number).await? {
                    return Err(Failure::Because(
                        "this number is not on the list of that business and mode".to_owned(),
                    ));
                }
                println!("lifted");
            }
        }
        Ok(())
    }
}
