//! What a browser does, as far as pages notice: it keeps a cookie, opens addresses and sends forms.

use testkit::{Account, Answer, Platform};

/// A browser that somebody has logged in with.
pub struct Browser<'a> {
    pub platform: &'a Platform,
    pub cookie: String,
}

impl<'a> Browser<'a> {
    pub async fn of_owner(platform: &'a Platform) -> Self {
        Self { platform, cookie: platform.log_in().await }
    }

    pub async fn of(platform: &'a Platform, account: &Account) -> Self {
        Self { platform, cookie: platform.log_in_as(account).await }
    }

    pub async fn open(&self, path: &str) -> Answer {
        self.platform.send(self.platform.anonymous("GET", path).header("cookie", &self.cookie)).await
    }

    pub async fn see(&self, path: &str) -> String {
        let answer = self.open(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", text(&answer));
        text(&answer)
    }

    pub async fn submit(&self, path: &str, fields: &[(&str, &str)], origin: &str) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.platform.anonymous("POST", path).header("cookie", &self.cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.platform.send(request.header("origin", origin).body(body)).await
    }
}

pub fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.clone()).expect("UTF-8")
}

pub fn location(answer: &Answer) -> &str {
    answer.headers["location"].to_str().expect("visible ASCII")
}
