//! The formats that have a name: `option httplog`, `tcplog`, `httpslog`, `httplog clf`, and the
//! lines that are written when no format was chosen.
//!
//! The texts are HAProxy's, field for field; the lines without a format are the two sentences that
//! readers of old logs know.

use super::alias;
use super::dates::Dates;
use super::record::{Endpoint, Record};
use super::style::{Pen, Style};
use crate::sample::Facts;

/// `option httplog`.
pub const HTTP: &str = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc \
                        %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r";

/// `option httpslog`.
pub const HTTPS: &str = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc \
                         %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r \
                         %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/\
                         %[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc";

/// `option tcplog`.
pub const TCP: &str = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq";

/// `option httplog clf`.
pub const HTTP_CLF: &str = "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s \
                            %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl";

/// `option tcplog clf`.
pub const TCP_CLF: &str = "%{+Q}o %{-Q}ci - - [%T] \"TCP \" 000 %B \"\" \"\" %cp %ms %ft %b %s \
                           %Th %Tw %Tc %Tt %U %ts-- %ac %fc %bc %sc %rc %sq %bq \"\" \"\" ";

/// What a frontend logs when it accepts a connection and has no format:
/// `Connect from 10.0.1.2:33317 to 10.0.3.31:5000 (www/HTTP)`.
pub fn connect_line(record: &Record<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Connect from ");
    endpoint(record.client, out);
    out.extend_from_slice(b" to ");
    endpoint(record.accepting, out);
    out.extend_from_slice(b" (");
    out.extend_from_slice(record.frontend.as_bytes());
    out.extend_from_slice(if record.http_mode {
        b"/HTTP)"
    } else {
        b"/TCP)"
    });
}

/// What is logged about a connection that failed before it became a session:
/// `127.0.0.1:56059 [03/Dec/2012:17:35:10.380] frt/f1: Connection error during SSL handshake`.
pub fn error_line(record: &Record<'_>, facts: &Facts<'_>, dates: &mut Dates, out: &mut Vec<u8>) {
    endpoint(record.client, out);
    out.extend_from_slice(b" [");
    dates.with_millis(out, record.accepted, facts.census);
    out.extend_from_slice(b"] ");
    out.extend_from_slice(record.frontend.as_bytes());
    out.push(b'/');
    out.extend_from_slice(record.listener.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(record.error.unwrap_or("Connection error").as_bytes());
}

fn endpoint(end: Option<Endpoint>, out: &mut Vec<u8>) {
    let mut pen = Pen {
        out,
        style: Style::DASHED,
    };
    alias::ip(end, &mut pen);
    pen.out.push(b':');
    alias::port(end, &mut pen);
}
