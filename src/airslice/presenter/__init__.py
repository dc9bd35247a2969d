"""What a virtual presenter says: text to speech, and recordings, as PCM.

Speech engines that are programs of their own (espeak-ng, Piper) run in processes of their own.
"""
