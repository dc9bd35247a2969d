"""How an application's owner is told: adapters of the CallbackSender port."""
