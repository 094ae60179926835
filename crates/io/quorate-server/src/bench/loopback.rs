use super::latencies::{Latencies, Percentiles};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// Length of what goes to and fro, in bytes.
const MESSAGE_BYTES: usize = 64;

/// How long a short message takes to another thread of this process and back, over TCP on the loopback
/// interface.
pub(super) fn measure(span: Duration) -> io::Result<Percentiles> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut stream = TcpStream::connect(listener.local_addr()?)?;
    stream.set_nodelay(true)?;
    let (peer, _) = listener.accept()?;
    peer.set_nodelay(true)?;
    let echo = thread::spawn(move || echo(peer));
    let latencies = send_and_receive(&mut stream, span)?;
    drop(stream);
    echo.join().map_err(|_| io::Error::other("the echoing thread panicked"))??;
    Ok(latencies.percentiles())
}

fn send_and_receive(stream: &mut TcpStream, span: Duration) -> io::Result<Latencies> {
    let (mut latencies, mut message, end) = (Latencies::new(), [0; MESSAGE_BYTES], Instant::now() + span);
    let mut start = Instant::now();
    while start < end {
        stream.write_all(&message)?;
        stream.read_exact(&mut message)?;
        let now = Instant::now();
        latencies.record(now - start);
        start = now;
    }
    Ok(latencies)
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut message = [0; MESSAGE_BYTES];
    loop {
        match stream.read_exact(&mut message) {
            Ok(()) => stream.write_all(&message)?,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_takes_some_time() {
        let found = measure(Duration::from_millis(5)).unwrap();
        assert!(found.p50 > 0 && found.p50 <= found.max);
    }
}
