"""The engine: pure Python and scikit-learn. No Django, no network, no clock, no unseeded randomness."""
