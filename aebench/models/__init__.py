"""The networks, each readable in one sitting, and the weights they are stored as."""
