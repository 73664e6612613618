"""What a replay raises when it comes to a step that was not recorded."""


class UnseenStep(KeyError):
    """There is no binary for what is asked; the message names the place."""

    def __str__(self) -> str:
        return str(self.args[0])
