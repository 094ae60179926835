use crate::bench::load::Target;

/// Where closed-loop writers read too.
pub(super) trait Store: Target {
    /// Reads one row and says whether it is there.
    async fn get(&self, key: &[u8]) -> Result<bool, Self::Error>;

    /// Reads `rows` rows from a key on, or all there are, and says how many they were.
    async fn scan(&self, from: &[u8], rows: u64) -> Result<u64, Self::Error>;
}
