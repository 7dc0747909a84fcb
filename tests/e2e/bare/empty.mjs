// In place of the chat client for AWS that the library's entry also loads, and that no meeting uses.
export default {};
