//! The one place of this crate that needs `unsafe`: it tells the allocator of glibc how to keep the memory of a
//! node down.

/// Blocks of this length and more have pages of their own, which go back to the system at once when they are
/// freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_BYTES_MIN: libc::c_int = 256 << 10;
/// How many heaps the threads of the process share.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const HEAPS_MAX: libc::c_int = 2;

/// Keeps what large values leave behind from staying with the process: left to itself the allocator raises the
/// length from which blocks have pages of their own up to 32 MiB once such blocks are freed, and then keeps
/// them in as many heaps as eight for each processor.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub(crate) fn keep_memory_down() {
    // SAFETY: it is called before any other thread runs, as `mallopt` asks, and takes two numbers.
    let taken = unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES_MIN) + libc::mallopt(libc::M_ARENA_MAX, HEAPS_MAX)
    };
    debug_assert_eq!(taken, 2, "both settings exist");
}

/// Other allocators know no such settings.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) const fn keep_memory_down() {}
