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
    /// List the numbers that must not be called; `doubtful` marks those whose owner never confirmed the wish
    List,
    /// Remove a number from the do-not-call list, so that it may be called again
    Remove {
        /// Phone number in E.164 format, like +15125550123
        number: String,
        /// Id of the business that may call the number again
        #[arg(long, value_name = "ID")]
        business: String,
        /// Which of the two lists: that of live or that of test calls
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
