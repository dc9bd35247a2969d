"""What a virtual presenter says: text to speech, and recordings, as PCM.

espeak-ng and Piper run in processes of their own. When what is said is decided in application.
"""
