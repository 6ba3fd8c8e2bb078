//! Where an endpoint is, as people write it into a setting.

use std::net::IpAddr;

/// The base of an endpoint up to and including `/v1`, from what somebody wrote: without a scheme, with the path of the request, with
/// slashes at the end. Says what is wrong with anything else.
pub fn base_url(written: &str) -> Result<String, String> {
    let text = written.trim();
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        let scheme = if is_near(text) { "http" } else { "https" };
        format!("{scheme}://{text}")
    };
    let base = with_scheme.trim_end_matches('/');
    let base = base.strip_suffix("/chat/completions").unwrap_or(base).trim_end_matches('/');
    let host = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
    match host {
        Some(host)
            if !host.is_empty()
                && !host.starts_with(['/', ':', '?'])
                && base.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(base.to_owned())
        }
        _ => Err("expected the address of an OpenAI-compatible endpoint, like http://localhost:11434/v1"
            .to_owned()),
    }
}

/// True of this machine and of private networks, where nobody has a certificate.
fn is_near(address: &str) -> bool {
    let host = address.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        Err(_) => host == "localhost" || !host.contains('.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_understood_as_it_is_written() {
        let check = |written: &str, expected: &str| {
            assert_eq!(base_url(written).as_deref(), Ok(expected), "{written}");
        };
        check("http://localhost:11434/v1", "http://localhost:11434/v1");
        check("https://api.example.com/v1/", "https://api.example.com/v1");
        check("127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1");
        check("ollama:11434/v1", "http://ollama:11434/v1");
        check("api.example.com/v1", "https://api.example.com/v1");
        check("http://127.0.0.1:8080/v1/chat/completions", "http://127.0.0.1:8080/v1");
        check(" https://x.example/openai/v1/chat/completions/ ", "https://x.example/openai/v1");
        for wrong in ["", "ftp://x.example", "http://", "http:///v1", "https://a b/v1"] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }
}
