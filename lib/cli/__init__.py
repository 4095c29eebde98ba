"""The commands of ./run_all.sh."""
