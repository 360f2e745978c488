"""What tables, claims and costs are computed from: trainings, their numbers, their origins."""
