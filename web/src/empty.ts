/** Stands where a dependency asks for a module that the page never uses. */
export default {};
