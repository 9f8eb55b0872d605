//! What may stand behind a chunked body.

use crate::http::{Head, Known};

/// Drops the trailers that must not change how the message was framed, routed or authorised (RFC 9110 section 6.5.1).
pub(super) fn drop_unfit(trailers: &mut Head) {
    trailers.retain(|name, _| {
        !matches!(
            Known::of(name),
            Some(
                Known::ContentLength
                    | Known::TransferEncoding
                    | Known::Host
                    | Known::Connection
                    | Known::KeepAlive
                    | Known::ProxyConnection
                    | Known::Upgrade
                    | Known::Te
                    | Known::Trailer
                    | Known::Expect
                    | Known::Authorization
                    | Known::ProxyAuthorization
                    | Known::WwwAuthenticate
                    | Known::ProxyAuthenticate
                    | Known::Cookie
                    | Known::SetCookie
                    | Known::ContentEncoding
                    | Known::ContentType
                    | Known::ContentRange
                    | Known::CacheControl
                    | Known::Range
                    | Known::Location
                    | Known::Vary
                    | Known::Forwarded
                    | Known::XForwardedFor
                    | Known::XForwardedProto
                    | Known::XOriginalTo
            )
        )
    });
}

#[cfg(test)]
mod tests {
    use super::super::tests::whole;
    use super::super::{Kind, Limits, Progress};

    #[test]
    fn trailers_lose_what_would_frame_again() {
        let input =
            b"X: y\r\nContent-Length: 3\r\nHost: b\r\nTransfer-Encoding: chunked\r\nZ: z\r\n\r\n";
        let (progress, head) = whole(Kind::Trailers, Limits::default(), input).expect("trailers");
        assert_eq!(
            progress,
            Progress::Done {
                consumed: input.len()
            }
        );
        assert_eq!(
            head.fields().map(|(name, _)| name).collect::<Vec<_>>(),
            [b"x", b"z"]
        );
    }
}
