/** Text of every file in shaders/, by its path there; written by the build for browser bundles. */
export declare const shaders: Readonly<Record<string, string>>;
