//! Shared helpers of the tests: throwaway PostgreSQL servers, trees of odd files.
