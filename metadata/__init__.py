"""The ground floor: metadata model, REDCap dictionary, guides' variables and controlled terminology."""
